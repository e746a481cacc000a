import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["admin_keys"];
export type StoredAdminKey = Readonly<Row>;

export const insertAdminKey = (core: Kysely<CoreTables>, key: StoredAdminKey): Promise<unknown> =>
  core.insertInto("admin_keys").values(key).execute();

export const findAdminKey = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredAdminKey | undefined> =>
  core.selectFrom("admin_keys").selectAll().where("id", "=", id).executeTakeFirst();

export const findAdminKeyByDigest = (
  core: Kysely<CoreTables>,
  digest: string,
): Promise<StoredAdminKey | undefined> =>
  core.selectFrom("admin_keys").selectAll().where("digest", "=", digest).executeTakeFirst();

export const revokeStoredAdminKey = (
  core: Kysely<CoreTables>,
  id: string,
  change: { readonly revokedAt: number; readonly version: number },
): Promise<unknown> =>
  core
    .updateTable("admin_keys")
    .set({ revoked_at: change.revokedAt, version: change.version })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .execute();

export const touchAdminKey = (
  core: Kysely<CoreTables>,
  id: string,
  now: number,
): Promise<unknown> =>
  core.updateTable("admin_keys").set({ last_used_at: now }).where("id", "=", id).execute();

/** All keys of an organization (`null`: of the platform), revoked ones too. */
export const listStoredAdminKeys = (
  core: Kysely<CoreTables>,
  organizationId: string | null,
): Promise<readonly StoredAdminKey[]> =>
  core
    .selectFrom("admin_keys")
    .selectAll()
    .where("organization_id", organizationId === null ? "is" : "=", organizationId)
    .orderBy("id")
    .execute();
