import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";
import { isUnique } from "#store/store-error.ts";

export interface StoredAnswer {
  readonly requestHash: string;
  /** `null`: the first request is under way, or its gateway died with it. */
  readonly status: number | null;
  readonly sealed: Uint8Array | null;
}

/** Claims an id for a request; gives what is there when it was claimed before. */
export async function claimAnswer(
  core: Kysely<CoreTables>,
  id: string,
  { requestHash, now }: { readonly requestHash: string; readonly now: number },
): Promise<StoredAnswer | undefined> {
  const row = { id, request_hash: requestHash, status: null, sealed: null, created_at: now };
  try {
    await core.insertInto("idempotent_answers").values(row).execute();
    return undefined;
  } catch (error) {
    if (!isUnique(error)) throw error;
  }
  const found = await core
    .selectFrom("idempotent_answers")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  // It failed meanwhile and was let go of: whoever asks again may try.
  if (found === undefined) return { requestHash, status: null, sealed: null };
  return { requestHash: found.request_hash, status: found.status, sealed: found.sealed };
}

/** Keeps the first answer. */
export async function keepAnswer(
  core: Kysely<CoreTables>,
  id: string,
  { status, sealed }: { readonly status: number; readonly sealed: Buffer },
): Promise<void> {
  await core
    .updateTable("idempotent_answers")
    .set({ status, sealed })
    .where("id", "=", id)
    .execute();
}

/** Lets go of an id whose request changed nothing. */
export async function dropAnswer(core: Kysely<CoreTables>, id: string): Promise<void> {
  await core.deleteFrom("idempotent_answers").where("id", "=", id).execute();
}

export async function deleteAnswersBefore(core: Kysely<CoreTables>, time: number): Promise<void> {
  await core.deleteFrom("idempotent_answers").where("created_at", "<", time).execute();
}
