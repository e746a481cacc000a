import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type SigningKeyRow = CoreTables["signing_keys"];

/** The newest first. */
export const listSigningKeys = (core: Kysely<CoreTables>): Promise<readonly SigningKeyRow[]> =>
  core
    .selectFrom("signing_keys")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();

export async function insertSigningKey(
  core: Kysely<CoreTables>,
  row: SigningKeyRow,
): Promise<void> {
  await core
    .insertInto("signing_keys")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
