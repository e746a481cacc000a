import type { SQLInputValue } from "node:sqlite";

import { byTable, COLUMNS, onConflict, selected, TABLES } from "#store/ledger-columns.ts";
import type { Table } from "#store/ledger-columns.ts";
import { useStatement } from "#store/ledger-uses.ts";
import type {
  AccountRow,
  CounterRow,
  HoldRow,
  LedgerIds,
  LedgerProcedure,
  LoadedRows,
} from "#store/ledger.ts";
import type { ProcedureDatabase } from "#store/sqlite-worker.ts";

const SELECT = byTable((table) => `SELECT ${selected(table)} FROM ${table} WHERE id = ?`);
const UPSERT = byTable((table) => {
  const columns: readonly string[] = COLUMNS[table];
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})${onConflict(table)}`;
});

/** What SQLite's thread does for the ledger: no row needs a hop to another thread. */
export const sqliteLedger =
  <Item, Result>(work: LedgerProcedure<Item, Result>["work"]) =>
  (database: ProcedureDatabase, calls: readonly (readonly Item[])[]): readonly Result[][] => {
    const batch = work(calls.flat());
    let step = batch.next();
    while (step.done !== true) step = batch.next(load(database, step.value));
    const { rows, result } = step.value;
    for (const { table, rows: name } of TABLES) {
      for (const row of rows[name]) database.run(UPSERT[table], valuesOf(table, row));
    }
    let next = 0;
    return calls.map(({ length }) => result.slice(next, (next += length)));
  };

function load(database: ProcedureDatabase, ids: LedgerIds): LoadedRows {
  const select = (table: Table, of: readonly string[]): readonly unknown[] =>
    of.flatMap((id) => database.all(SELECT[table], [id]));
  const used = ids.uses.map(({ use }) => {
    const { sql, parameters } = useStatement(use);
    return database.all(sql, parameters).length > 0;
  });
  const booked = select("ledger_transfers", ids.transfers) as readonly { readonly id: string }[];
  return {
    accounts: select("ledger_accounts", ids.accounts) as readonly AccountRow[],
    counters: select("budget_counters", ids.counters) as readonly CounterRow[],
    holds: select("holds", ids.holds) as readonly HoldRow[],
    booked: booked.map(({ id }) => id),
    used,
  };
}

const valuesOf = (table: Table, row: object): SQLInputValue[] =>
  COLUMNS[table].map((name) => (row as Record<string, SQLInputValue>)[name] ?? null);
