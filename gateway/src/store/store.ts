import { join } from "node:path";

import { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { prepareFile, prepareFolder } from "#store/data-folder.ts";
import { migrate } from "#store/migrations.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";
import { openSqlite, type Sqlite } from "#store/sqlite.ts";
import type { OpenFile } from "#store/sqlite-worker.ts";
import { workerDialect } from "#store/worker-dialect.ts";

/** The open data store. */
export interface Store {
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
  close(): Promise<void>;
}

/**
 * Opens the store in a folder (made when absent; mode 0700, files 0600) and brings its schema up to
 * date. Rejects in words that name the file and the remedy.
 */
export async function openStore(folder: string): Promise<Store> {
  prepareFolder(folder);
  const files: readonly OpenFile[] = [
    { name: "core", path: join(folder, "turnpike.db"), synchronous: "FULL" },
    { name: "records", path: join(folder, "records.db"), synchronous: "NORMAL" },
  ];
  for (const { path } of files) prepareFile(path);
  const sqlite = openSqlite(files);
  for (const file of files) await migrateFile(sqlite, file);
  const core = new Kysely<CoreTables>({ dialect: workerDialect(sqlite, "core") });
  const records = new Kysely<RecordTables>({ dialect: workerDialect(sqlite, "records") });
  return { core, records, close: () => sqlite.close() };
}

async function migrateFile(sqlite: Sqlite, { name, path }: OpenFile): Promise<void> {
  try {
    await migrate(sqlite, name);
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
