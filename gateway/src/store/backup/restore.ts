import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { continueSequences, copyTables, type AnyTables } from "#store/backup/copy-tables.ts";
import { checkBackup, MASTER_KEY_FILE, type Manifest } from "#store/backup/manifest.ts";
import { migrateDatabase } from "#store/migrate-database.ts";
import type { Part } from "#store/migrations/migrate.ts";
import { DATABASE_FILES, openStore, type Store } from "#store/store.ts";

const PARTS: readonly Part[] = ["core", "records"];

export interface RestoreOptions {
  /** The backup. */
  readonly from: string;
  /** The data folder. */
  readonly home: string;
  readonly databaseUrl?: string | undefined;
  readonly now: number;
}

/**
 * Puts a backup in the place of a store; no gateway may be running on it. What was there is kept
 * beside it (a folder), or must not be there at all (Postgres). Resolves with the store, open.
 */
export async function restore(
  options: RestoreOptions,
): Promise<{ readonly manifest: Manifest; readonly store: Store }> {
  const manifest = await checkBackup(options.from);
  const { databaseUrl, home } = options;
  const store =
    databaseUrl === undefined || databaseUrl === ""
      ? await restoreFolder(options)
      : await restoreDatabase(options, databaseUrl);
  const key = join(options.from, MASTER_KEY_FILE);
  if (existsSync(key) && !existsSync(join(home, MASTER_KEY_FILE))) {
    copyFileSync(key, join(home, MASTER_KEY_FILE));
  }
  return { manifest, store };
}

async function restoreFolder({ from, home, now }: RestoreOptions): Promise<Store> {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  for (const part of PARTS) refuseInUse(join(home, DATABASE_FILES[part]));
  for (const part of PARTS) {
    const file = join(home, DATABASE_FILES[part]);
    if (existsSync(file)) renameSync(file, `${file}.before-restore-${stamp}`);
    // Their contents are in the file since `refuseInUse`; another file's log must not be applied to it.
    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
  }
  // Makes the folder with the right modes, and empty files that are written over.
  await (await openStore({ home })).close();
  for (const part of PARTS)
    copyFileSync(join(from, DATABASE_FILES[part]), join(home, DATABASE_FILES[part]));
  return openStore({ home });
}

/** Leaving write-ahead mode needs a file that nobody else has open. */
function refuseInUse(file: string): void {
  if (!existsSync(file)) return;
  const database = new DatabaseSync(file, { timeout: 200 });
  try {
    database.exec("PRAGMA journal_mode=DELETE");
  } catch (error) {
    throw new Error(`${file} is in use. Stop the gateway first.`, { cause: error });
  } finally {
    database.close();
  }
}

async function restoreDatabase({ from }: RestoreOptions, databaseUrl: string): Promise<Store> {
  await migrateDatabase(databaseUrl);
  const store = await openStore({ home: from, databaseUrl });
  // The backup itself stays as it was written: opening it would change it.
  const copy = mkdtempSync(join(tmpdir(), "turnpike-restore-"));
  try {
    await refuseFull(store);
    for (const part of PARTS)
      copyFileSync(join(from, DATABASE_FILES[part]), join(copy, DATABASE_FILES[part]));
    await fill(store, copy);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function fill(store: Store, folder: string): Promise<void> {
  const source = await openStore({ home: folder });
  try {
    for (const part of PARTS) {
      const from = source[part] as unknown as AnyTables;
      // All or nothing: a restore that broke off can be begun again.
      await (store[part] as unknown as AnyTables)
        .transaction()
        .execute(async (to) => void (await copyTables({ from, to, sqlite: from })));
    }
    await continueSequences(store.core as unknown as AnyTables);
  } finally {
    await source.close();
  }
}

async function refuseFull(store: Store): Promise<void> {
  const [key, record] = await Promise.all([
    store.core.selectFrom("keys").select("id").limit(1).executeTakeFirst(),
    store.records.selectFrom("request_records").select("id").limit(1).executeTakeFirst(),
  ]);
  if (key !== undefined || record !== undefined) {
    throw new Error("the Postgres database is not empty. Restore into a new one.");
  }
}
