import type { Kysely } from "kysely";

import { changeDirectory, directoryVersion } from "#store/directory-version.ts";
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

/** A number that changes with every change of the directory: cheaper to ask for than the keys themselves. */
export const keysVersion = directoryVersion;

export async function insertKey(core: Kysely<CoreTables>, key: StoredKey): Promise<void> {
  const { id, name, digest, hint, createdAt, revokedAt } = key;
  await changeDirectory(core, async (transaction, version) => {
    const row = { id, name, digest, hint, created_at: createdAt, revoked_at: revokedAt };
    await transaction
      .insertInto("keys")
      .values({ ...row, ...DEFAULT_PLACE, settings: "{}", version })
      .execute();
  });
}

/** Where keys belong that nobody placed. */
const DEFAULT_PLACE = { organization_id: "org_default", project_id: "proj_default" };

/** Revokes by id or by name; tells how many keys it stopped. */
export const revokeKeys = (
  core: Kysely<CoreTables>,
  idOrName: string,
  now: number,
): Promise<number> =>
  changeDirectory(core, async (transaction, version) => {
    const result = await transaction
      .updateTable("keys")
      .set({ revoked_at: now, version })
      .where((where) => where.or([where("id", "=", idOrName), where("name", "=", idOrName)]))
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    return Number(result.numUpdatedRows);
  });

/** Gives a key another name and state. */
export async function updateKey(
  core: Kysely<CoreTables>,
  id: string,
  { name, revokedAt }: Pick<StoredKey, "name" | "revokedAt">,
): Promise<void> {
  await changeDirectory(core, async (transaction, version) => {
    await transaction
      .updateTable("keys")
      .set({ name, revoked_at: revokedAt, version })
      .where("id", "=", id)
      .execute();
  });
}
