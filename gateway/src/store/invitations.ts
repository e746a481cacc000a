import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["invitations"];
export type StoredInvitation = Readonly<Row>;

export const insertInvitation = (
  core: Kysely<CoreTables>,
  invitation: StoredInvitation,
): Promise<unknown> => core.insertInto("invitations").values(invitation).execute();

export const findInvitation = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredInvitation | undefined> =>
  core.selectFrom("invitations").selectAll().where("id", "=", id).executeTakeFirst();

export const findInvitationByDigest = (
  core: Kysely<CoreTables>,
  tokenDigest: string,
): Promise<StoredInvitation | undefined> =>
  core
    .selectFrom("invitations")
    .selectAll()
    .where("token_digest", "=", tokenDigest)
    .executeTakeFirst();

/** Takes an open invitation out of force; `false`: it was not open any more. */
export async function closeInvitation(
  core: Kysely<CoreTables>,
  id: string,
  how: { readonly accepted_at: number } | { readonly revoked_at: number },
): Promise<boolean> {
  const row = await core
    .updateTable("invitations")
    .set(how)
    .where("id", "=", id)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}
