import { byTable, COLUMNS, INTEGERS, onConflict, selected, TABLES } from "#store/ledger-columns.ts";
import type { Table } from "#store/ledger-columns.ts";
import { postgresUse } from "#store/ledger-uses.ts";
import type { AccountRow, CounterRow, HoldRow, LedgerIds, LedgerWork } from "#store/ledger.ts";
import type { RunStatement } from "#store/transact.ts";

/** Any number that is nobody else's: who writes the ledger holds it until the commit. */
export const LEDGER_LOCK = "SELECT pg_advisory_xact_lock(8402002)";

const SELECT = byTable(
  (table) => `SELECT ${selected(table)} FROM ${table} WHERE id = ANY($1::text[])`,
);

/**
 * Any number of rows in one statement with one parameter, JSON: the statement is prepared once, and
 * building it anew for each number of rows would cost more than running it.
 */
const UPSERT = byTable((table) => {
  const values = COLUMNS[table].map((column, at) =>
    INTEGERS.has(column) ? `(value ->> ${at})::bigint` : `value ->> ${at}`,
  );
  return `INSERT INTO ${table} (${COLUMNS[table].join(", ")}) SELECT ${values.join(", ")} FROM jsonb_array_elements($1::jsonb) AS value${onConflict(table)}`;
});

/** Amounts as text: JSON has no integers of 64 bits. */
const toJson = (table: Table, rows: readonly object[]): string => {
  const names = COLUMNS[table];
  return JSON.stringify(
    rows.map((row) =>
      names.map((name) => {
        const value = (row as Record<string, unknown>)[name];
        return typeof value === "bigint" ? value.toString() : value;
      }),
    ),
  );
};

/** Does a batch within a transaction of Postgres. */
export async function postgresLedger<Result>(
  run: RunStatement,
  work: LedgerWork<Result>,
): Promise<Result> {
  // Neither the lock nor what is written is waited for: the transaction fails where one of them does.
  run(LEDGER_LOCK, []).catch(() => undefined);
  let step = work.next();
  while (step.done !== true) step = work.next(await load(run, step.value));
  const { rows, result } = step.value;
  for (const { table, rows: name } of TABLES) {
    if (rows[name].length === 0) continue;
    run(UPSERT[table], [toJson(table, rows[name])]).catch(() => undefined);
  }
  return result;
}

async function load(run: RunStatement, ids: LedgerIds) {
  const select = <Row>(table: Table, of: readonly string[]): Promise<readonly Row[]> =>
    of.length === 0 ? Promise.resolve([]) : run<Row>(SELECT[table], [of]);
  const [used, accounts, counters, holds, booked] = await Promise.all([
    Promise.all(
      ids.uses.map(async ({ use }) => {
        const { sql, parameters } = postgresUse(use);
        return (await run(sql, parameters)).length > 0;
      }),
    ),
    select<AccountRow>("ledger_accounts", ids.accounts),
    select<CounterRow>("budget_counters", ids.counters),
    select<HoldRow>("holds", ids.holds),
    select<{ id: string }>("ledger_transfers", ids.transfers),
  ]);
  return { accounts, counters, holds, booked: booked.map(({ id }) => id), used };
}
