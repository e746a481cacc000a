import type { Kysely } from "kysely";

import { inChunks } from "#store/in-chunks.ts";
import type { RecordTables } from "#store/schema.ts";

export type ContentRow = RecordTables["content_log"];

/** A row with the words that it can be found by, hashed. */
export interface IndexedContent {
  readonly row: ContentRow;
  readonly words: readonly string[];
}

/** Writes rows, all or none; one that is there already stays. */
export async function insertContent(
  records: Kysely<RecordTables>,
  entries: readonly IndexedContent[],
): Promise<void> {
  const words = entries.flatMap(({ row: { organization_id, request_id }, words: found }) =>
    found.map((word) => ({ organization_id, word, request_id })),
  );
  await records.transaction().execute(async (transaction) => {
    await Promise.all([
      ...inChunks(entries, (chunk) =>
        transaction
          .insertInto("content_log")
          .values(chunk.map(({ row }) => row))
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      ),
      ...inChunks(words, (chunk) =>
        transaction
          .insertInto("content_words")
          .values([...chunk])
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      ),
    ]);
  });
}

export const findContent = (
  records: Kysely<RecordTables>,
  where: { readonly requestId: string; readonly now: number },
): Promise<ContentRow | undefined> =>
  records
    .selectFrom("content_log")
    .selectAll()
    .where("request_id", "=", where.requestId)
    .where("expires_at", ">", where.now)
    .executeTakeFirst();

const MAX_FOUND = 200;

/** Ids of requests that hold all of these words, the newest first. */
export async function findByWords(
  records: Kysely<RecordTables>,
  where: { readonly organizationId: string; readonly words: readonly string[] },
): Promise<readonly string[]> {
  const rows = await records
    .selectFrom("content_words")
    .select("request_id")
    .where("organization_id", "=", where.organizationId)
    .where("word", "in", where.words)
    .groupBy("request_id")
    .having((eb) => eb.fn.countAll(), "=", where.words.length)
    .orderBy("request_id", "desc")
    .limit(MAX_FOUND)
    .execute();
  return rows.map(({ request_id }) => request_id);
}

const PURGED_AT_ONCE = 500;

/** Removes what is past its time, a part at a time; resolves with how many rows went. */
export async function deleteExpiredContent(
  records: Kysely<RecordTables>,
  now: number,
): Promise<number> {
  let gone = 0;
  for (;;) {
    const rows = await records
      .selectFrom("content_log")
      .select("request_id")
      .where("expires_at", "<=", now)
      .limit(PURGED_AT_ONCE)
      .execute();
    const ids = rows.map(({ request_id }) => request_id);
    await deleteContent(records, ids);
    gone += ids.length;
    if (ids.length < PURGED_AT_ONCE) return gone;
  }
}

async function deleteContent(
  records: Kysely<RecordTables>,
  requestIds: readonly string[],
): Promise<void> {
  await Promise.all(
    inChunks(requestIds, (ids) => [
      records.deleteFrom("content_words").where("request_id", "in", ids).execute(),
      records.deleteFrom("content_log").where("request_id", "in", ids).execute(),
    ]).flat(),
  );
}
