import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type StoredResponseRow = CoreTables["stored_responses"];

/** Keeps a response; one of the same id and key is replaced, one of another key stays. */
export async function insertResponse(
  core: Kysely<CoreTables>,
  row: StoredResponseRow,
): Promise<void> {
  const { id: _id, key_id: _key, ...changes } = row;
  await core
    .insertInto("stored_responses")
    .values(row)
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet(changes).where("stored_responses.key_id", "=", row.key_id),
    )
    .execute();
}

export const findResponse = (
  core: Kysely<CoreTables>,
  where: { readonly id: string; readonly keyId: string; readonly now: number },
): Promise<StoredResponseRow | undefined> =>
  core
    .selectFrom("stored_responses")
    .selectAll()
    .where("id", "=", where.id)
    .where("key_id", "=", where.keyId)
    .where("expires_at", ">", where.now)
    .executeTakeFirst();

/** Tells whether there was one to delete. */
export async function deleteResponse(
  core: Kysely<CoreTables>,
  where: { readonly id: string; readonly keyId: string },
): Promise<boolean> {
  const result = await core
    .deleteFrom("stored_responses")
    .where("id", "=", where.id)
    .where("key_id", "=", where.keyId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function deleteExpiredResponses(core: Kysely<CoreTables>, now: number): Promise<void> {
  await core.deleteFrom("stored_responses").where("expires_at", "<=", now).execute();
}
