import { statSync } from "node:fs";
import { join } from "node:path";

import { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { prepareFile, prepareFolder } from "#store/data-folder.ts";
import { stepsBehind, type Part } from "#store/migrations/migrate.ts";
import { openPostgres } from "#store/postgres.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";
import { copyDatabase, migrateFile } from "#store/sqlite-migrations.ts";
import { openSqlite, type Sqlite } from "#store/sqlite.ts";
import type { Call, OpenFile } from "#store/sqlite-worker.ts";
import type { Transact } from "#store/transact.ts";
import { workerDialect } from "#store/worker-dialect.ts";

/** The open data store: SQLite files in a folder, or a Postgres database. */
export interface Store {
  readonly dialect: "sqlite" | "postgres";
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
  /** The same records, only to be read: what takes long keeps nobody waiting whose record is written. */
  readonly reports: Kysely<RecordTables>;
  /** The core half for statements that depend on one another and must be fast. */
  readonly direct: Direct;
  /** Copies one half into a new file while all go on; SQLite only, Postgres has `pg_dump`. */
  readonly copyTo?: (part: Part, file: string) => Promise<void>;
  close(): Promise<void>;
}

/** SQLite runs a module on its own thread, in one transaction; to Postgres statements go without waiting. */
export type Direct =
  | { readonly call: (module: URL, call: Call) => Promise<unknown> }
  | { readonly transact: Transact };

export interface StoreOptions {
  /** The data folder. */
  readonly home: string;
  /** `postgres://…`; absent: SQLite in the data folder. */
  readonly databaseUrl?: string | undefined;
  /** Look for damage where the last process did not close its files; what a gateway does at its start. */
  readonly checkIntegrity?: boolean;
}

/** Holds the address of the Postgres database, where there is one. */
export const DATABASE_VARIABLE = "TURNPIKE_DATABASE_URL";

const PARTS: readonly Part[] = ["core", "records"];

/** Where SQLite keeps each half, in the data folder. */
export const DATABASE_FILES: Readonly<Record<Part, string>> = {
  core: "turnpike.db",
  records: "records.db",
};

/**
 * Opens the store. A folder is made when absent (mode 0700, files 0600) and its schema brought up to
 * date; a Postgres database must be up to date. Rejects in words that name the file and the remedy.
 */
export function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl } = options;
  return databaseUrl === undefined || databaseUrl === ""
    ? openFolder(options)
    : openDatabase(databaseUrl);
}

async function openFolder({ home: folder, checkIntegrity = false }: StoreOptions): Promise<Store> {
  prepareFolder(folder);
  const files: readonly OpenFile[] = [
    {
      name: "core",
      path: join(folder, DATABASE_FILES.core),
      synchronous: "FULL",
      secureDelete: true,
    },
    {
      name: "records",
      path: join(folder, DATABASE_FILES.records),
      synchronous: "NORMAL",
      secureDelete: true,
    },
    {
      name: "reports",
      path: join(folder, DATABASE_FILES.records),
      synchronous: "NORMAL",
      readOnly: true,
    },
  ];
  for (const { path } of files) prepareFile(path);
  const unclosed = checkIntegrity && wasLeftOpen(join(folder, DATABASE_FILES.core));
  const sqlite = openSqlite(files);
  if (unclosed) await closeUnlessSound(sqlite, join(folder, DATABASE_FILES.core));
  for (const part of PARTS) {
    await bringUpToDate(sqlite, part, join(folder, DATABASE_FILES[part]));
  }
  return {
    dialect: "sqlite",
    core: new Kysely<CoreTables>({ dialect: workerDialect(sqlite, "core") }),
    records: new Kysely<RecordTables>({ dialect: workerDialect(sqlite, "records") }),
    reports: new Kysely<RecordTables>({ dialect: workerDialect(sqlite, "reports") }),
    direct: { call: (module, call) => sqlite.call("core", module, call) },
    copyTo: (part, file) => copyDatabase(sqlite, part, file),
    close: () => sqlite.close(),
  };
}

/** Larger files would keep the start waiting too long. */
const LARGEST_CHECKED_BYTES = 256 * 1024 * 1024;

/** A log that somebody left beside the file: its process was killed, or lost its power. */
function wasLeftOpen(path: string): boolean {
  const size = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return size(`${path}-wal`) > 0 && size(path) < LARGEST_CHECKED_BYTES;
}

/** Money must not be counted in a damaged file. */
async function closeUnlessSound(sqlite: Sqlite, path: string): Promise<void> {
  const check = { sql: "PRAGMA quick_check(1)", parameters: [] };
  const found = await sqlite.run("core", check).then(
    ({ rows }) => String(Object.values(rows[0] ?? {})[0]),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (found === "ok") return;
  await sqlite.close();
  throw new Error(
    `the database ${path} is damaged (${found.replaceAll(/\s+/g, " ")}). Restore a backup with \`turnpike restore\`.`,
  );
}

async function bringUpToDate(sqlite: Sqlite, part: Part, path: string): Promise<void> {
  try {
    await migrateFile(sqlite, part, path);
  } catch (error) {
    await sqlite.close();
    throw error instanceof GatewayError ? inWords(path, error) : error;
  }
}

/** The thread opens all files before the first answer, and names the one at fault. */
function inWords(path: string, error: GatewayError): Error {
  const { message } = error.failure;
  const [, named, reason] = /: (\S.*?\.db): (.*)$/.exec(message) ?? [];
  const file = named ?? path;
  const isDamaged = /not a database|malformed/.test(message);
  const remedy = isDamaged ? " Restore a backup of it, or move it away: a new one is made." : "";
  return new Error(`the database ${file} cannot be used (${reason ?? message}).${remedy}`, {
    cause: error,
  });
}

/** Several gateways share it: none of them changes its schema by itself. */
async function openDatabase(url: string): Promise<Store> {
  const { core, records, reports, transact, target, close } = openPostgres(url);
  try {
    for (const part of PARTS) {
      const behind = await stepsBehind(target, part);
      if (behind > 0) throw new Error(NOT_MIGRATED);
    }
  } catch (error) {
    await close();
    throw databaseError(error);
  }
  return { dialect: "postgres", core, records, reports, direct: { transact }, close };
}

const NOT_MIGRATED =
  "the database's schema is not up to date. Run `turnpike migrate` once; gateways that are running may go on meanwhile.";

/** The driver's words, which hold neither user nor password. */
function databaseError(error: unknown): Error {
  const { message, code } = error as { message?: string; code?: string };
  if (message === NOT_MIGRATED) return new Error(message);
  return new Error(
    `the Postgres database cannot be used (${[code, message].filter(Boolean).join(": ")}).`,
    { cause: error },
  );
}
