import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import type { Kysely } from "kysely";

import { VERSION } from "#lib/version.ts";
import { copyTables, type AnyTables } from "#store/backup/copy-tables.ts";
import { MANIFEST_FILE, MASTER_KEY_FILE, sha256Of, type Manifest } from "#store/backup/manifest.ts";
import type { Part } from "#store/migrations/migrate.ts";
import { DATABASE_FILES, openStore, type Store } from "#store/store.ts";

const PARTS: readonly Part[] = ["core", "records"];

export interface BackUpOptions {
  /** Where to; made, and must be empty. */
  readonly folder: string;
  /** The data folder's own key file, where it is to be part of the backup. */
  readonly masterKeyFile?: string;
  readonly now: number;
}

/**
 * Writes a consistent copy of a store while gateways go on with it: SQLite files, whichever database
 * they come from. Money is copied after records: no copied record lacks its booking.
 */
export async function backUp(store: Store, options: BackUpOptions): Promise<Manifest> {
  const { folder, masterKeyFile } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty.`);
  try {
    await (store.copyTo === undefined ? copyRows(store, folder) : copyFiles(store.copyTo, folder));
    if (masterKeyFile !== undefined) copyFileSync(masterKeyFile, join(folder, MASTER_KEY_FILE));
    const manifest = await describe(store, options);
    writeFileSync(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    // A folder that was there before may be open to others.
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
    return manifest;
  } catch (error) {
    // Half a backup must not be taken for one.
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    throw error;
  }
}

async function copyFiles(copyTo: NonNullable<Store["copyTo"]>, folder: string): Promise<void> {
  for (const part of PARTS.toReversed()) await copyTo(part, join(folder, DATABASE_FILES[part]));
}

/** Postgres: the rows of one snapshot each, into SQLite files of the same schema. */
async function copyRows(store: Store, folder: string): Promise<void> {
  const copy = await openStore({ home: folder });
  try {
    for (const part of PARTS.toReversed()) {
      await snapshotOf(store[part] as unknown as AnyTables, async (from) => {
        const to = copy[part] as unknown as AnyTables;
        await copyTables({ from, to, sqlite: to });
      });
    }
  } finally {
    await copy.close();
  }
}

const snapshotOf = (
  database: AnyTables,
  work: (snapshot: Kysely<Record<string, Record<string, unknown>>>) => Promise<void>,
): Promise<void> =>
  database
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(work);

async function describe(store: Store, { folder, now }: BackUpOptions): Promise<Manifest> {
  const names = [...Object.values(DATABASE_FILES), MASTER_KEY_FILE];
  const there = names.filter((name) => existsSync(join(folder, name)));
  const sums = await Promise.all(
    there.map(async (name) => [name, await sha256Of(join(folder, name))] as const),
  );
  return {
    turnpike: VERSION,
    madeAt: new Date(now).toISOString(),
    from: store.dialect,
    withMasterKey: there.includes(MASTER_KEY_FILE),
    files: Object.fromEntries(sums),
  };
}
