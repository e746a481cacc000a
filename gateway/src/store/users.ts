import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["users"];
export type StoredUser = Readonly<Row>;

export const insertUser = (core: Kysely<CoreTables>, user: StoredUser): Promise<unknown> =>
  core.insertInto("users").values(user).execute();

export const updateUser = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("users").set(change).where("id", "=", id).execute();

/** A better hash of the same password: nothing that gateways keep in memory changes. */
export const replacePasswordHash = (
  core: Kysely<CoreTables>,
  id: string,
  hashes: { readonly from: string; readonly to: string },
): Promise<unknown> =>
  core
    .updateTable("users")
    .set({ password_hash: hashes.to })
    .where("id", "=", id)
    .where("password_hash", "=", hashes.from)
    .execute();

export const findUser = (core: Kysely<CoreTables>, id: string): Promise<StoredUser | undefined> =>
  core.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();

/** By an address in lower case. */
export const findUserByEmail = (
  core: Kysely<CoreTables>,
  email: string,
): Promise<StoredUser | undefined> =>
  core.selectFrom("users").selectAll().where("email", "=", email).executeTakeFirst();

export const findUserBySubject = (
  core: Kysely<CoreTables>,
  issuer: string,
  subject: string,
): Promise<StoredUser | undefined> =>
  core
    .selectFrom("users")
    .selectAll()
    .where("oidc_issuer", "=", issuer)
    .where("oidc_subject", "=", subject)
    .executeTakeFirst();

/** Whether there is any person, a disabled one too. */
export async function hasPerson(core: Kysely<CoreTables>): Promise<boolean> {
  const row = await core
    .selectFrom("users")
    .select("id")
    .where("kind", "=", "person")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
