import { sql, type Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly hint: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

type Row = CoreTables["keys"];

const fromRow = (row: Row): StoredKey => ({
  id: row.id,
  name: row.name,
  digest: row.digest,
  hint: row.hint,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
});

export async function listKeys(core: Kysely<CoreTables>): Promise<readonly StoredKey[]> {
  const rows = await core.selectFrom("keys").selectAll().orderBy("created_at").execute();
  return rows.map(fromRow);
}

/** A number that changes when another process has written: cheaper to ask for than the keys themselves. */
export async function keysVersion(core: Kysely<CoreTables>): Promise<number> {
  const { rows } = await sql<{ data_version: number }>`PRAGMA data_version`.execute(core);
  return rows[0]?.data_version ?? 0;
}

export async function insertKey(core: Kysely<CoreTables>, key: StoredKey): Promise<void> {
  const { id, name, digest, hint, createdAt, revokedAt } = key;
  const row = { id, name, digest, hint, created_at: createdAt, revoked_at: revokedAt };
  await core.insertInto("keys").values(row).execute();
}

/** Revokes by id or by name; tells how many keys it stopped. */
export async function revokeKeys(
  core: Kysely<CoreTables>,
  idOrName: string,
  now: number,
): Promise<number> {
  const result = await core
    .updateTable("keys")
    .set({ revoked_at: now })
    .where((where) => where.or([where("id", "=", idOrName), where("name", "=", idOrName)]))
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Gives a key another name and state. */
export async function updateKey(
  core: Kysely<CoreTables>,
  id: string,
  { name, revokedAt }: Pick<StoredKey, "name" | "revokedAt">,
): Promise<void> {
  await core
    .updateTable("keys")
    .set({ name, revoked_at: revokedAt })
    .where("id", "=", id)
    .execute();
}
