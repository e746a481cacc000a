import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type IdempotencyRow = CoreTables["idempotency_keys"];

/** Takes a key; `undefined`: it is this request's now, else the row of the request that has it. */
export async function takeIdempotencyKey(
  core: Kysely<CoreTables>,
  row: IdempotencyRow,
): Promise<IdempotencyRow | undefined> {
  const taken = await core
    .insertInto("idempotency_keys")
    .values(row)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("request_id")
    .executeTakeFirst();
  if (taken !== undefined) return undefined;
  return core
    .selectFrom("idempotency_keys")
    .selectAll()
    .where("id", "=", row.id)
    .executeTakeFirst();
}

/** Notes what a repetition is told. */
export async function finishIdempotencyKey(
  core: Kysely<CoreTables>,
  {
    id,
    requestId,
    result,
  }: { readonly id: string; readonly requestId: string; readonly result: string },
): Promise<void> {
  await core
    .updateTable("idempotency_keys")
    .set({ state: "done", result })
    .where("id", "=", id)
    .where("request_id", "=", requestId)
    .execute();
}

/** Gives the key back: the request was not answered, and may be repeated. */
export async function releaseIdempotencyKey(
  core: Kysely<CoreTables>,
  id: string,
  requestId: string,
): Promise<void> {
  await core
    .deleteFrom("idempotency_keys")
    .where("id", "=", id)
    .where("request_id", "=", requestId)
    .execute();
}

export async function deleteOldIdempotencyKeys(
  core: Kysely<CoreTables>,
  before: number,
): Promise<void> {
  await core.deleteFrom("idempotency_keys").where("created_at", "<", before).execute();
}

/** How the money of a request ended; `undefined`: nothing is known of it. */
export const findHold = (
  core: Kysely<CoreTables>,
  requestId: string,
): Promise<Pick<CoreTables["holds"], "state" | "charged"> | undefined> =>
  core
    .selectFrom("holds")
    .select(["state", "charged"])
    .where("id", "=", requestId)
    .executeTakeFirst();
