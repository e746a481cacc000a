import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

/** What the one-time token is derived from; made when there is none yet. */
export async function setupNonce(core: Kysely<CoreTables>, fresh: string): Promise<string> {
  await core
    .insertInto("setup")
    .values({ id: 1, nonce: fresh, done_at: null })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  const row = await core
    .selectFrom("setup")
    .select("nonce")
    .where("id", "=", 1)
    .executeTakeFirstOrThrow();
  return row.nonce;
}

/** Another one: tokens of the one before are worth nothing any more. */
export const replaceSetupNonce = (core: Kysely<CoreTables>, nonce: string): Promise<unknown> =>
  core
    .insertInto("setup")
    .values({ id: 1, nonce, done_at: null })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ nonce }))
    .execute();

/** Uses it up; `false`: somebody was first. */
export async function finishSetup(core: Kysely<CoreTables>, now: number): Promise<boolean> {
  const row = await core
    .updateTable("setup")
    .set({ done_at: now })
    .where("id", "=", 1)
    .where("done_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}
