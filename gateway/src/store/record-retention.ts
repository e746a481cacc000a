import { sql, type Kysely } from "kysely";

import { runTogether } from "#store/run-together.ts";
import type { RecordTables } from "#store/schema.ts";

/** So many go in one transaction: a request that ends meanwhile waits for no more. */
const BATCH = 200;

/**
 * Deletes an organization's records that began before a moment (Unix ms, the first of a UTC day), a
 * few at a time, with their tags and what callers said of them. Their sums stay. Resolves with whether
 * there may be more.
 */
export async function deleteRecordBatch(
  records: Kysely<RecordTables>,
  organizationId: string,
  before: number,
): Promise<boolean> {
  const rows = await records
    .selectFrom("request_records")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("started_at", "<", before)
    .orderBy("started_at")
    .limit(BATCH)
    .execute();
  if (rows.length === 0) return false;
  const ids = rows.map(({ id }) => id);
  await runTogether(records, [
    // Noted first: sums of a day that has lost records must never be made anew from the rest.
    records
      .insertInto("record_deletions")
      .values({ organization_id: organizationId, deleted_before: before })
      .onConflict((conflict) =>
        conflict.column("organization_id").doUpdateSet({
          deleted_before: sql`case when excluded.deleted_before > record_deletions.deleted_before then excluded.deleted_before else record_deletions.deleted_before end`,
        }),
      )
      .compile(),
    records.deleteFrom("feedback").where("request_id", "in", ids).compile(),
    records
      .deleteFrom("request_tags")
      .where("organization_id", "=", organizationId)
      .where("started_at", "<", before)
      .where("request_id", "in", ids)
      .compile(),
    records.deleteFrom("request_records").where("id", "in", ids).compile(),
  ]);
  return rows.length === BATCH;
}

/** Whether there are records and no sums: an older Turnpike wrote them. */
export async function lacksRollups(records: Kysely<RecordTables>): Promise<boolean> {
  const [record, sums] = await Promise.all([
    records.selectFrom("request_records").select("seq").limit(1).executeTakeFirst(),
    records.selectFrom("usage_rollups").select("bucket").limit(1).executeTakeFirst(),
  ]);
  return record !== undefined && sums === undefined;
}
