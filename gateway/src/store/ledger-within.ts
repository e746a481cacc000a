import { CompiledQuery, sql, type Transaction } from "kysely";

import { isPostgres } from "#store/json-path.ts";
import { COLUMNS, onConflict, TABLES } from "#store/ledger-columns.ts";
import { LEDGER_LOCK } from "#store/ledger-postgres.ts";
import { postgresUse, useStatement } from "#store/ledger-uses.ts";
import type { LedgerIds, LedgerWork, LoadedRows } from "#store/ledger.ts";
import type { CoreTables } from "#store/schema.ts";

/**
 * Does a batch of the ledger within a transaction that is under way, as the last of it: whoever
 * locks something else after the ledger could wait for somebody who waits for the ledger.
 */
export async function ledgerWithin<Result>(
  transaction: Transaction<CoreTables>,
  work: LedgerWork<Result>,
): Promise<Result> {
  if (isPostgres(transaction)) await sql.raw(LEDGER_LOCK).execute(transaction);
  let step = work.next();
  while (step.done !== true) step = work.next(await load(transaction, step.value));
  const { rows, result } = step.value;
  for (const { table, rows: name } of TABLES) {
    const columns = COLUMNS[table];
    for (const row of rows[name] as readonly object[] as readonly Record<string, unknown>[]) {
      const names = sql.join(columns.map((column) => sql.ref(column)));
      const values = sql.join(columns.map((column) => row[column] ?? null));
      await sql`INSERT INTO ${sql.table(table)} (${names}) VALUES (${values})${sql.raw(onConflict(table))}`.execute(
        transaction,
      );
    }
  }
  return result;
}

async function load(transaction: Transaction<CoreTables>, ids: LedgerIds): Promise<LoadedRows> {
  const accounts = transaction.selectFrom("ledger_accounts").selectAll();
  const counters = transaction.selectFrom("budget_counters").selectAll();
  const holds = transaction.selectFrom("holds").selectAll();
  const transfers = transaction.selectFrom("ledger_transfers").select("id");
  const some = ({ length }: readonly string[]): boolean => length > 0;
  const used: boolean[] = [];
  for (const { use } of ids.uses) {
    const { sql: text, parameters } = (isPostgres(transaction) ? postgresUse : useStatement)(use);
    const { rows } = await transaction.executeQuery(CompiledQuery.raw(text, [...parameters]));
    used.push(rows.length > 0);
  }
  const booked = some(ids.transfers)
    ? await transfers.where("id", "in", ids.transfers).execute()
    : [];
  return {
    accounts: some(ids.accounts) ? await accounts.where("id", "in", ids.accounts).execute() : [],
    counters: some(ids.counters) ? await counters.where("id", "in", ids.counters).execute() : [],
    holds: some(ids.holds) ? await holds.where("id", "in", ids.holds).execute() : [],
    booked: booked.map(({ id }) => id),
    used,
  };
}
