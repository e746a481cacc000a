import { CompiledQuery } from "kysely";

import { postgresLedger } from "#store/ledger-postgres.ts";
import type { Use } from "#store/ledger-uses.ts";
import type { CoreTables } from "#store/schema.ts";
import type { Store } from "#store/store.ts";

/** Holds that one look ends: more than two hundred gateways that died at full work leave. */
const SWEPT_AT_ONCE = 10_000;

export type AccountRow = CoreTables["ledger_accounts"];
export type TransferRow = Omit<CoreTables["ledger_transfers"], "seq">;
export type CounterRow = CoreTables["budget_counters"];
export type HoldRow = CoreTables["holds"];

/** Rows by their ids, and what is to be used up before they are loaded, by which command. */
export interface LedgerIds {
  readonly uses: readonly { readonly by: string; readonly use: Use }[];
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

/** The rows that are there; of transfers the ids; and of each use whether it had not been used before. */
export type LoadedRows = Omit<LedgerRows, "transfers"> & {
  readonly booked: readonly string[];
  readonly used: readonly boolean[];
};

/**
 * What a batch does within its one transaction: it yields the rows that it needs, is given those that
 * are there, and returns what it has changed.
 */
export type LedgerWork<Result> = Generator<
  LedgerIds,
  { readonly rows: LedgerRows; readonly result: Result },
  LoadedRows
>;

/** Work that can be done on either database: a result an item, in their order. */
export interface LedgerProcedure<Item, Result> {
  readonly work: (items: readonly Item[]) => LedgerWork<readonly Result[]>;
  /** The module that exports `sqliteLedger(work)` as `procedure`: SQLite does it on its own thread. */
  readonly module: URL;
}

export interface LedgerStore {
  /**
   * One writer at a time, whichever process it is in. Resolves when it would survive a power failure.
   * Where nobody waits any more at `until` (`monotonicMs`) and it has not begun, it is not done.
   */
  write<Item, Result>(
    procedure: LedgerProcedure<Item, Result>,
    items: readonly Item[],
    until: number,
  ): Promise<readonly Result[]>;
  /** Writes that are asked for while others are under way are done together by the database's thread. */
  readonly groups: boolean;
  /** Notes that a process is there. */
  beat(owner: string): Promise<void>;
  /** Open holds of processes other than this one that have not been there for so long. */
  abandonedHolds(owner: string, deadMs: number): Promise<readonly HoldRow[]>;
  /** Open holds of this process that should have ended so long ago. */
  overdueHolds(owner: string, graceMs: number): Promise<readonly HoldRow[]>;
}

type LedgerDatabase = Pick<Store, "core" | "dialect" | "direct">;

/** The ledger's rows in either database. */
export function createLedgerStore({ core, dialect, direct }: LedgerDatabase): LedgerStore {
  const now =
    dialect === "sqlite"
      ? "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
      : "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
  const mark = (at: number): string => (dialect === "sqlite" ? "?" : `$${at}`);
  const select = async <Row>(text: string, parameters: readonly unknown[]) =>
    (await core.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
  return {
    write: <Item, Result>(
      { work, module }: LedgerProcedure<Item, Result>,
      input: readonly Item[],
      until: number,
    ) =>
      "call" in direct
        ? (direct.call(module, { input, until }) as Promise<readonly Result[]>)
        : direct.transact((run) => postgresLedger(run, work(input))),
    groups: "call" in direct,
    beat: async (owner) => {
      const text = `INSERT INTO ledger_owners (id, beat_at) VALUES (${mark(1)}, ${now}) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at`;
      await select(text, [owner]);
    },
    abandonedHolds: (owner, deadMs) =>
      select<HoldRow>(
        `SELECT * FROM holds WHERE state = 'open' AND owner <> ${mark(1)} AND NOT EXISTS (SELECT 1 FROM ledger_owners WHERE ledger_owners.id = holds.owner AND beat_at > ${now} - ${mark(2)}) ORDER BY deadline LIMIT ${SWEPT_AT_ONCE}`,
        [owner, deadMs],
      ),
    overdueHolds: (owner, graceMs) =>
      select<HoldRow>(
        `SELECT * FROM holds WHERE state = 'open' AND owner = ${mark(1)} AND deadline < ${now} - ${mark(2)} LIMIT ${SWEPT_AT_ONCE}`,
        [owner, graceMs],
      ),
  };
}
