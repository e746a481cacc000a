import { CompiledQuery } from "kysely";

import type { CoreTables } from "#store/schema.ts";
import type { Store } from "#store/store.ts";
import type { RunStatement } from "#store/transact.ts";

export type AccountRow = CoreTables["ledger_accounts"];
export type TransferRow = Omit<CoreTables["ledger_transfers"], "seq">;
export type CounterRow = CoreTables["budget_counters"];
export type HoldRow = CoreTables["holds"];

/** Rows by their ids. */
export interface LedgerIds {
  readonly accounts: readonly string[];
  readonly counters: readonly string[];
  readonly holds: readonly string[];
  readonly transfers: readonly string[];
}

export interface LedgerRows {
  readonly accounts: readonly AccountRow[];
  readonly counters: readonly CounterRow[];
  readonly holds: readonly HoldRow[];
  readonly transfers: readonly TransferRow[];
}

/** What a batch does within its one transaction. */
export interface LedgerTransaction {
  /** The rows that are there; of transfers the ids. */
  load(ids: LedgerIds): Promise<Omit<LedgerRows, "transfers"> & { readonly booked: string[] }>;
  /** Writes and commits: the last thing that a batch does. */
  write(rows: LedgerRows): void;
}

export interface LedgerStore {
  /** One writer at a time, whichever process it is in. Resolves when it would survive a power failure. */
  write(work: (transaction: LedgerTransaction) => Promise<void>): Promise<void>;
  /** Notes that a process is there. */
  beat(owner: string): Promise<void>;
  /** Open holds of processes other than this one that have not been there for so long. */
  abandonedHolds(owner: string, deadMs: number): Promise<readonly HoldRow[]>;
  /** Open holds of this process that should have ended so long ago. */
  overdueHolds(owner: string, graceMs: number): Promise<readonly HoldRow[]>;
}

type LedgerDatabase = Pick<Store, "core" | "dialect" | "transact">;
type Dialect = Store["dialect"];

/** Names of the columns; integers are marked, since JSON carries them as text. */
const COLUMNS = {
  ledger_accounts: [
    "id",
    "kind",
    "organization_id",
    "#debits",
    "#credits",
    "#pending",
    "#created_at",
  ],
  ledger_transfers: [
    "id",
    "#at",
    "kind",
    "debit_account",
    "credit_account",
    "#amount",
    "request_id",
    "organization_id",
    "project_id",
    "memo",
  ],
  budget_counters: [
    "id",
    "budget_id",
    "organization_id",
    "subject",
    "#period_start",
    "#period_end",
    "#used",
    "#pending",
    "#updated_at",
  ],
  holds: [
    "id",
    "state",
    "organization_id",
    "account_id",
    "#amount",
    "#tokens",
    "counters",
    "facts",
    "owner",
    "#dispatched",
    "#delivered_tokens",
    "#charged",
    "#created_at",
    "#deadline",
    "#ended_at",
  ],
} as const;

type Table = keyof typeof COLUMNS;

/** What changes in a row that is there already; transfers never do. */
const UPDATED: Readonly<Record<Table, readonly string[]>> = {
  ledger_accounts: ["debits", "credits", "pending"],
  ledger_transfers: [],
  budget_counters: ["used", "pending", "updated_at"],
  holds: ["state", "facts", "delivered_tokens", "charged", "ended_at"],
};

const TABLES: readonly { readonly table: Table; readonly rows: keyof LedgerRows }[] = [
  { table: "ledger_accounts", rows: "accounts" },
  { table: "ledger_transfers", rows: "transfers" },
  { table: "budget_counters", rows: "counters" },
  { table: "holds", rows: "holds" },
];

/**
 * Any number of rows in one statement with one parameter, JSON: the statement is prepared once, and
 * building it anew for each number of rows would cost more than running it.
 */
function upsertOf(table: Table, dialect: Dialect): string {
  const columns = COLUMNS[table];
  const names = columns.map((column) => column.replace("#", ""));
  const values = columns.map((column, at) => {
    const isInteger = column.startsWith("#");
    if (dialect === "sqlite") {
      const value = `value ->> '$[${at}]'`;
      return isInteger ? `CAST(${value} AS INTEGER)` : value;
    }
    return isInteger ? `(value ->> ${at})::bigint` : `value ->> ${at}`;
  });
  const from =
    dialect === "sqlite" ? "json_each(?) WHERE true" : "jsonb_array_elements($1::jsonb) AS value";
  const updates = UPDATED[table].map((name) => `${name} = excluded.${name}`).join(", ");
  const conflict = updates === "" ? "" : ` ON CONFLICT (id) DO UPDATE SET ${updates}`;
  return `INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")} FROM ${from}${conflict}`;
}

/** Amounts as text: JSON has no integers of 64 bits. */
const toJson = (table: Table, rows: readonly object[]): string => {
  const names = COLUMNS[table].map((column) => column.replace("#", ""));
  return JSON.stringify(
    rows.map((row) =>
      names.map((name) => {
        const value = (row as Record<string, unknown>)[name];
        return typeof value === "bigint" ? value.toString() : value;
      }),
    ),
  );
};

interface Statements {
  readonly upsert: Readonly<Record<Table, string>>;
  readonly select: Readonly<Record<Table, string>>;
  readonly now: string;
}

function statementsFor(dialect: Dialect): Statements {
  const byTable = (make: (table: Table) => string): Record<Table, string> =>
    Object.fromEntries(TABLES.map(({ table }) => [table, make(table)])) as Record<Table, string>;
  const ids = dialect === "sqlite" ? "IN (SELECT value FROM json_each(?))" : "= ANY($1::text[])";
  return {
    upsert: byTable((table) => upsertOf(table, dialect)),
    select: byTable(
      (table) =>
        `SELECT ${table === "ledger_transfers" ? "id" : "*"} FROM ${table} WHERE id ${ids}`,
    ),
    now:
      dialect === "sqlite"
        ? "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
        : "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
  };
}

/** Any number that is nobody else's: who writes the ledger holds it until the commit. */
const LEDGER_LOCK = "SELECT pg_advisory_xact_lock(8402002)";

/** The ledger's rows in either database. */
export function createLedgerStore({ core, dialect, transact }: LedgerDatabase): LedgerStore {
  const statements = statementsFor(dialect);
  const mark = (at: number): string => (dialect === "sqlite" ? "?" : `$${at}`);
  const select = async <Row>(text: string, parameters: readonly unknown[]) =>
    (await core.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
  return {
    write: (work) =>
      transact(async (run) => {
        // Not waited for: what is loaded waits behind it.
        if (dialect === "postgres") run(LEDGER_LOCK, []).catch(() => undefined);
        await work(transactionOf(run, statements, dialect));
      }),
    beat: async (owner) => {
      const text = `INSERT INTO ledger_owners (id, beat_at) VALUES (${mark(1)}, ${statements.now}) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at`;
      await select(text, [owner]);
    },
    abandonedHolds: (owner, deadMs) =>
      select<HoldRow>(
        `SELECT * FROM holds WHERE state = 'open' AND owner <> ${mark(1)} AND NOT EXISTS (SELECT 1 FROM ledger_owners WHERE ledger_owners.id = holds.owner AND beat_at > ${statements.now} - ${mark(2)}) ORDER BY deadline LIMIT 1000`,
        [owner, deadMs],
      ),
    overdueHolds: (owner, graceMs) =>
      select<HoldRow>(
        `SELECT * FROM holds WHERE state = 'open' AND owner = ${mark(1)} AND deadline < ${statements.now} - ${mark(2)} LIMIT 1000`,
        [owner, graceMs],
      ),
  };
}

function transactionOf(
  run: RunStatement,
  statements: Statements,
  dialect: Dialect,
): LedgerTransaction {
  const select = <Row>(table: Table, ids: readonly string[]): Promise<readonly Row[]> => {
    if (ids.length === 0) return Promise.resolve([]);
    return run<Row>(statements.select[table], [dialect === "sqlite" ? JSON.stringify(ids) : ids]);
  };
  return {
    load: async (ids) => {
      const [accounts, counters, holds, booked] = await Promise.all([
        select<AccountRow>("ledger_accounts", ids.accounts),
        select<CounterRow>("budget_counters", ids.counters),
        select<HoldRow>("holds", ids.holds),
        select<{ id: string }>("ledger_transfers", ids.transfers),
      ]);
      return { accounts, counters, holds, booked: booked.map(({ id }) => id) };
    },
    write: (rows) => {
      for (const { table, rows: name } of TABLES) {
        if (rows[name].length === 0) continue;
        // The transaction fails where one of its statements does: nobody needs to wait for each.
        run(statements.upsert[table], [toJson(table, rows[name])]).catch(() => undefined);
      }
    },
  };
}
