import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type EncryptionKeyRow = CoreTables["encryption_keys"];
export type KeyPurpose = EncryptionKeyRow["purpose"];

/** Whose key it is; an empty subject stands for the organization itself. */
export interface KeyOwner {
  readonly organizationId: string;
  readonly purpose: KeyPurpose;
  readonly subject: string;
}

/** The key that new records are sealed with. */
export const findNewestKey = (
  core: Kysely<CoreTables>,
  { organizationId, purpose, subject }: KeyOwner,
): Promise<EncryptionKeyRow | undefined> =>
  core
    .selectFrom("encryption_keys")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("purpose", "=", purpose)
    .where("level", "=", subject === "" ? "organization" : "subject")
    .where("subject", "=", subject)
    .orderBy("epoch", "desc")
    .limit(1)
    .executeTakeFirst();

export const findKeyById = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<EncryptionKeyRow | undefined> =>
  core.selectFrom("encryption_keys").selectAll().where("id", "=", id).executeTakeFirst();

/** Adds a key unless another gateway has added the one of that epoch meanwhile. */
export async function insertKey(core: Kysely<CoreTables>, row: EncryptionKeyRow): Promise<void> {
  await core
    .insertInto("encryption_keys")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Reserves uses of a key; resolves with how many are now taken, `undefined`: it was destroyed. */
export async function takeUses(
  core: Kysely<CoreTables>,
  id: string,
  count: number,
): Promise<number | undefined> {
  const row = await core
    .updateTable("encryption_keys")
    .set((eb) => ({ uses: eb("uses", "+", count) }))
    .where("id", "=", id)
    .returning("uses")
    .executeTakeFirst();
  return row === undefined ? undefined : row.uses;
}

export const listOrganizationKeys = (
  core: Kysely<CoreTables>,
): Promise<readonly EncryptionKeyRow[]> =>
  core
    .selectFrom("encryption_keys")
    .selectAll()
    .where("level", "=", "organization")
    .orderBy("id")
    .execute();

/** Puts the same key under another master key. */
export async function rewrapKey(
  core: Kysely<CoreTables>,
  id: string,
  { wrapped, wrapped_by }: Pick<EncryptionKeyRow, "wrapped" | "wrapped_by">,
): Promise<void> {
  await core
    .updateTable("encryption_keys")
    .set({ wrapped, wrapped_by })
    .where("id", "=", id)
    .execute();
}

export async function erasureVersion(core: Kysely<CoreTables>): Promise<number> {
  const row = await core
    .selectFrom("erasure_version")
    .select("version")
    .where("id", "=", 1)
    .executeTakeFirstOrThrow();
  return row.version;
}

/** Which keys to destroy; what is left out bounds nothing. */
export interface KeySelection {
  readonly organizationId: string;
  readonly purpose?: KeyPurpose;
  /** Pseudonyms. */
  readonly subjects?: readonly string[];
  readonly ids?: readonly string[];
  /** Unix milliseconds; keys made later stay. */
  readonly madeUntil?: number;
}

const WIPED = new Uint8Array(64);

/**
 * Overwrites wrapped keys, removes their rows and tells all gateways by the version; resolves with
 * the ids of the keys that are gone. What they sealed can be read by nobody after this.
 */
export async function destroyKeys(
  core: Kysely<CoreTables>,
  { organizationId, purpose, subjects, ids: named, madeUntil }: KeySelection,
): Promise<readonly string[]> {
  if (subjects?.length === 0 || named?.length === 0) return [];
  return core.transaction().execute(async (transaction) => {
    await transaction
      .updateTable("erasure_version")
      .set((eb) => ({ version: eb("version", "+", 1) }))
      .where("id", "=", 1)
      .execute();
    const found = await transaction
      .selectFrom("encryption_keys")
      .select("id")
      .where("organization_id", "=", organizationId)
      .$if(purpose !== undefined, (query) => query.where("purpose", "=", purpose ?? "content"))
      .$if(subjects !== undefined, (query) => query.where("subject", "in", subjects ?? []))
      .$if(named !== undefined, (query) => query.where("id", "in", named ?? []))
      .$if(madeUntil !== undefined, (query) => query.where("created_at", "<=", madeUntil ?? 0))
      .execute();
    const ids = found.map(({ id }) => id);
    if (ids.length === 0) return ids;
    await transaction
      .updateTable("encryption_keys")
      .set({ wrapped: WIPED })
      .where("id", "in", ids)
      .execute();
    await transaction.deleteFrom("encryption_keys").where("id", "in", ids).execute();
    return ids;
  });
}
