import { sql, type Kysely, type Transaction } from "kysely";

import { isPostgres } from "#store/json-path.ts";
import type { NewRecord } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";

/** A time in Unix milliseconds, its end excluded. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

const DAY_MS = 86_400_000;
const PAGE = 2_000;

/** When the UTC days with records began, the newest first. */
export async function recordDays(
  records: Kysely<RecordTables>,
  { since, until }: TimeRange,
): Promise<readonly number[]> {
  const days: number[] = [];
  for (let before = until; ;) {
    const row = await records
      .selectFrom("request_records")
      .select("started_at")
      .where("started_at", ">=", since)
      .where("started_at", "<", before)
      .orderBy("started_at", "desc")
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return days;
    before = row.started_at - (row.started_at % DAY_MS);
    days.push(before);
  }
}

/** Nobody else changes sums until the transaction ends; SQLite has one writer anyway. */
export async function lockRollups(transaction: Transaction<RecordTables>): Promise<void> {
  if (!isPostgres(transaction)) return;
  await sql`LOCK TABLE usage_rollups IN SHARE ROW EXCLUSIVE MODE`.execute(transaction);
}

/** Records in the order in which they were written, of organizations that have deleted none of that time. */
export async function* dayRows(
  records: Kysely<RecordTables>,
  { since, until }: TimeRange,
): AsyncGenerator<readonly NewRecord[]> {
  const { first, last } = await records
    .selectFrom("request_records")
    .select(({ fn }) => [
      fn.coalesce(fn.min("seq"), sql<number>`0`).as("first"),
      fn.coalesce(fn.max("seq"), sql<number>`0`).as("last"),
    ])
    .where("started_at", ">=", since)
    .where("started_at", "<", until)
    .executeTakeFirstOrThrow();
  for (let after = first - 1; ;) {
    const rows = await records
      .selectFrom("request_records")
      .selectAll()
      .where("seq", ">", after)
      .where("seq", "<=", last)
      .where("started_at", ">=", since)
      .where("started_at", "<", until)
      .where("organization_id", "not in", deletedOf(records, since))
      .orderBy("seq")
      .limit(PAGE)
      .execute();
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.seq ?? last;
  }
}

/** Organizations that have deleted records which began at or after a moment. */
export const deletedOf = (records: Kysely<RecordTables>, since: number) =>
  records
    .selectFrom("record_deletions")
    .select("organization_id")
    .where("deleted_before", ">", since);
