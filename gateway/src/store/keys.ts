import type { Kysely, Transaction } from "kysely";

import { changeDirectory } from "#store/directory-version.ts";
import type { CoreTables } from "#store/schema.ts";

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly hint: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
  readonly organizationId: string;
  readonly projectId: string;
  readonly ownerId: string | null;
  /** JSON of `keySettingsSchema`. */
  readonly settings: string;
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  /** An earlier secret of that key: works until `expiresAt`, as that key. */
  readonly replacedBy: string | null;
  readonly lastUsedAt: number | null;
}

type Row = CoreTables["keys"];

export const keyOfRow = (row: Row): StoredKey => ({
  id: row.id,
  name: row.name,
  digest: row.digest,
  hint: row.hint,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
  organizationId: row.organization_id,
  projectId: row.project_id,
  ownerId: row.owner_id,
  settings: row.settings,
  expiresAt: row.expires_at,
  disabledAt: row.disabled_at,
  replacedBy: row.replaced_by,
  lastUsedAt: row.last_used_at,
});

const rowOfKey = (key: StoredKey, version: number): Row => ({
  id: key.id,
  name: key.name,
  digest: key.digest,
  hint: key.hint,
  created_at: key.createdAt,
  revoked_at: key.revokedAt,
  organization_id: key.organizationId,
  project_id: key.projectId,
  owner_id: key.ownerId,
  settings: key.settings,
  expires_at: key.expiresAt,
  disabled_at: key.disabledAt,
  replaced_by: key.replacedBy,
  last_used_at: key.lastUsedAt,
  version,
});

export async function listKeys(core: Kysely<CoreTables>): Promise<readonly StoredKey[]> {
  const rows = await core.selectFrom("keys").selectAll().orderBy("created_at").execute();
  return rows.map(keyOfRow);
}

export async function findKey(
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredKey | undefined> {
  const row = await core.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : keyOfRow(row);
}

export const insertKey = (core: Kysely<CoreTables>, key: StoredKey): Promise<void> =>
  changeDirectory(core, (transaction, version) => insertKeyAt(transaction, key, version));

/** The same within a change of the directory that writes more. */
export async function insertKeyAt(
  transaction: Transaction<CoreTables>,
  key: StoredKey,
  version: number,
): Promise<void> {
  await transaction.insertInto("keys").values(rowOfKey(key, version)).execute();
}

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

/** What of a key may change. */
export type KeyChanges = Partial<
  Pick<
    StoredKey,
    "name" | "revokedAt" | "disabledAt" | "expiresAt" | "settings" | "digest" | "hint" | "ownerId"
  >
>;

const COLUMNS = {
  name: "name",
  revokedAt: "revoked_at",
  disabledAt: "disabled_at",
  expiresAt: "expires_at",
  settings: "settings",
  digest: "digest",
  hint: "hint",
  ownerId: "owner_id",
} as const satisfies Record<keyof KeyChanges, keyof Row>;

/** Changes what is named of a key. */
export const updateKey = (
  core: Kysely<CoreTables>,
  id: string,
  changes: KeyChanges,
): Promise<void> =>
  changeDirectory(core, (transaction, version) =>
    updateKeyAt(transaction, { id, changes }, version),
  );

/** The same within a change of the directory that writes more. */
export async function updateKeyAt(
  transaction: Transaction<CoreTables>,
  { id, changes }: { readonly id: string; readonly changes: KeyChanges },
  version: number,
): Promise<void> {
  const set = Object.fromEntries(
    Object.entries(changes).map(([name, value]) => [COLUMNS[name as keyof KeyChanges], value]),
  );
  await transaction
    .updateTable("keys")
    .set({ ...set, version })
    .where("id", "=", id)
    .execute();
}

/** Statements of this many keys: SQLite takes 32,766 parameters at most. */
const BATCH = 500;

/**
 * Notes when keys were used. No change of the directory: every gateway would read all used keys anew
 * each minute, and nothing that they decide hangs on it.
 */
export async function noteKeysUsed(
  core: Kysely<CoreTables>,
  ids: readonly string[],
  usedAt: number,
): Promise<void> {
  for (let from = 0; from < ids.length; from += BATCH) {
    await core
      .updateTable("keys")
      .set({ last_used_at: usedAt })
      .where("id", "in", ids.slice(from, from + BATCH))
      .where((where) =>
        where.or([where("last_used_at", "is", null), where("last_used_at", "<", usedAt)]),
      )
      .execute();
  }
}
