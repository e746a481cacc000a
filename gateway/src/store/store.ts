import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Kysely } from "kysely";

import { migrate } from "#store/migrations.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";
import { openSqlite } from "#store/sqlite.ts";
import { workerDialect } from "#store/worker-dialect.ts";

/** The open data store. */
export interface Store {
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
  close(): Promise<void>;
}

/** Opens the store in a folder (made with mode 0700 when absent) and brings its schema up to date. */
export async function openStore(folder: string): Promise<Store> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sqlite = openSqlite([
    { name: "core", path: join(folder, "turnpike.db"), synchronous: "FULL" },
    { name: "records", path: join(folder, "records.db"), synchronous: "NORMAL" },
  ]);
  await migrate(sqlite, "core");
  await migrate(sqlite, "records");
  const core = new Kysely<CoreTables>({ dialect: workerDialect(sqlite, "core") });
  const records = new Kysely<RecordTables>({ dialect: workerDialect(sqlite, "records") });
  return { core, records, close: () => sqlite.close() };
}
