import { sql, type CompiledQuery, type Kysely } from "kysely";

import { inChunks } from "#store/in-chunks.ts";
import { isPostgres } from "#store/json-path.ts";
import { deletedOf, type TimeRange } from "#store/record-days.ts";
import type { RecordTables } from "#store/schema.ts";
import { ROLLUP_SUMS, type RollupKey, type RollupSum } from "#store/tables/record-tables.ts";

/** What is added to a row of the table: its key, and sums in the order of `ROLLUP_SUMS`. */
export interface RollupRow extends RollupKey {
  readonly sums: Float64Array;
}

const KEY = ["organization_id", "dimension", "grain", "bucket", "value"] as const;

const upserts = new Map<string, CompiledQuery>();

/**
 * Statements that add to the sums. In one order always, so that gateways that write at once do not
 * wait for each other in a circle.
 */
export const addToRollups = (
  records: Kysely<RecordTables>,
  rows: readonly RollupRow[],
): readonly CompiledQuery[] =>
  inChunks(rows.toSorted(compare), (chunk) => ({
    ...upsertOf(records, chunk.length),
    parameters: chunk.flatMap((row) => [...KEY.map((name) => row[name]), ...row.sums]),
  }));

function compare(a: RollupKey, b: RollupKey): number {
  for (const name of KEY) {
    if (a[name] < b[name]) return -1;
    if (a[name] > b[name]) return 1;
  }
  return 0;
}

/** Built once for each number of rows: building it costs more than running it. */
function upsertOf(records: Kysely<RecordTables>, count: number): CompiledQuery {
  const name = `${isPostgres(records)} ${count}`;
  const known = upserts.get(name);
  if (known !== undefined) return known;
  const row = Object.fromEntries([...KEY, ...ROLLUP_SUMS].map((column) => [column, 0]));
  const query = records
    .insertInto("usage_rollups")
    .values(Array.from({ length: count }, () => row as unknown as RecordTables["usage_rollups"]))
    .onConflict((conflict) =>
      conflict
        .columns([...KEY])
        .doUpdateSet(
          Object.fromEntries(
            ROLLUP_SUMS.map((sum) => [
              sum,
              sql`${sql.ref(`usage_rollups.${sum}`)} + ${sql.ref(`excluded.${sum}`)}`,
            ]),
          ),
        ),
    )
    .compile();
  upserts.set(name, query);
  return query;
}

/** The values that a dimension of an organization has on a day, at most `limit`. */
export async function listRollupValues(
  records: Kysely<RecordTables>,
  of: Pick<RollupKey, "organization_id" | "dimension" | "bucket">,
  limit: number,
): Promise<readonly string[]> {
  const rows = await records
    .selectFrom("usage_rollups")
    .select("value")
    .where("organization_id", "=", of.organization_id)
    .where("dimension", "=", of.dimension)
    .where("grain", "=", "day")
    .where("bucket", "=", of.bucket)
    .limit(limit)
    .execute();
  return rows.map(({ value }) => value);
}

/** Removes the sums of a day, to be made anew; not those whose records are gone. */
export async function deleteRollupDay(
  records: Kysely<RecordTables>,
  { since, until }: TimeRange,
): Promise<void> {
  await records
    .deleteFrom("usage_rollups")
    .where("bucket", ">=", since)
    .where("bucket", "<", until)
    .where("organization_id", "not in", deletedOf(records, since))
    .execute();
}

/** Sums, exact: integers beyond 2^53 are `bigint`. */
export type Sums = Readonly<Record<RollupSum, number | bigint>>;

/** Which sums a report is about. */
export interface RollupFilter {
  /** `undefined`: of all organizations, for the operator. */
  readonly organizationId?: string | undefined;
  readonly dimension: string;
  /** First and last moments of UTC days, Unix milliseconds; the end is excluded. */
  readonly since: number;
  readonly until: number;
  /** This one only. */
  readonly value?: string | undefined;
  /** Those that begin so: the second halves of a pair. */
  readonly prefix?: string | undefined;
}

/** What rows of a report are in the order of, the most first. */
export const REPORT_ORDERS = {
  charge: "charge_nano_usd",
  cost: "cost_nano_usd",
  requests: "requests",
  failed: "failed",
  input_tokens: "input_tokens",
  output_tokens: "output_tokens",
} as const satisfies Record<string, RollupSum>;
export type ReportOrder = keyof typeof REPORT_ORDERS;

/** Where a page of a report begins. */
export interface ReportCursor {
  readonly amount: number | bigint;
  readonly value: string;
}

export interface ReportPage {
  readonly order: ReportOrder;
  readonly after?: ReportCursor | undefined;
  readonly limit: number;
}

const summed = ROLLUP_SUMS.map((name) =>
  sql<number | bigint>`coalesce(sum(${sql.ref(name)}), 0)`.as(name),
);

function selected(records: Kysely<RecordTables>, filter: RollupFilter) {
  const { organizationId, dimension, since, until, value, prefix } = filter;
  let query = records
    .selectFrom("usage_rollups")
    .where("dimension", "=", dimension)
    .where("grain", "=", "day")
    .where("bucket", ">=", since)
    .where("bucket", "<", until);
  if (organizationId !== undefined) query = query.where("organization_id", "=", organizationId);
  if (value !== undefined) query = query.where("value", "=", value);
  // Not LIKE: what callers name may hold its signs.
  if (prefix !== undefined) {
    query = query.where("value", ">=", prefix).where("value", "<", afterPrefix(prefix));
  }
  return query;
}

/** The first text that is behind all that begin so. */
const afterPrefix = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/** Sums by value, a page of them. One more row than asked for: there are more. */
export async function sumByValue(
  records: Kysely<RecordTables>,
  filter: RollupFilter,
  { order, after, limit }: ReportPage,
): Promise<readonly (Sums & { readonly value: string })[]> {
  const amount = sql.ref<number | bigint>(REPORT_ORDERS[order]);
  let query = selected(records, filter)
    .groupBy("value")
    .select(["value", ...summed]);
  if (after !== undefined) {
    const place = sql`sum(${amount})`;
    query = query.having(
      sql<boolean>`(${place} < ${after.amount} or (${place} = ${after.amount} and value > ${after.value}))`,
    );
  }
  return query
    .orderBy(sql`sum(${amount})`, "desc")
    .orderBy("value")
    .limit(limit + 1)
    .execute();
}

/** Sums by value, all of them: there are not more than a day's bounds allow. */
export const listSums = (
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): Promise<readonly (Sums & { readonly value: string })[]> =>
  selected(records, filter)
    .groupBy("value")
    .select(["value", ...summed])
    .execute();

/** Sums by UTC day, oldest first; days without requests have no row. */
export const sumByDay = (
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): Promise<readonly (Sums & { readonly bucket: number })[]> =>
  selected(records, filter)
    .groupBy("bucket")
    .select(["bucket", ...summed])
    .orderBy("bucket")
    .execute();

/** One row of sums over all that the filter names. */
export const sumAll = (records: Kysely<RecordTables>, filter: RollupFilter): Promise<Sums> =>
  selected(records, filter).select(summed).executeTakeFirstOrThrow();

/** Sums of the hours since a moment, oldest first. */
export const sumByHour = (
  records: Kysely<RecordTables>,
  {
    since,
    organizationId,
  }: { readonly since: number; readonly organizationId?: string | undefined },
): Promise<
  readonly { organization_id: string; requests: number; failed: number; bucket: number }[]
> => {
  const query = records
    .selectFrom("usage_rollups")
    .select(["organization_id", "bucket"])
    .select([sql<number>`requests`.as("requests"), sql<number>`failed`.as("failed")])
    .where("dimension", "=", "total")
    .where("grain", "=", "hour")
    .where("bucket", ">=", since)
    .orderBy("bucket");
  return (
    organizationId === undefined ? query : query.where("organization_id", "=", organizationId)
  ).execute();
};

/** Rows as they are stored, by day and value: what is exported. Pages by key, not by number. */
export async function* rollupPages(
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): AsyncGenerator<readonly RecordTables["usage_rollups"][]> {
  for (let after: RollupKey | undefined; ;) {
    let query = selected(records, filter).selectAll();
    if (after !== undefined) {
      const { organization_id, bucket, value } = after;
      query = query.where(
        sql<boolean>`(organization_id, bucket, value) > (${organization_id}, ${bucket}, ${value})`,
      );
    }
    const rows = await query
      .orderBy("organization_id")
      .orderBy("bucket")
      .orderBy("value")
      .limit(EXPORT_PAGE)
      .execute();
    if (rows.length > 0) yield rows;
    if (rows.length < EXPORT_PAGE) return;
    after = rows.at(-1);
  }
}

const EXPORT_PAGE = 1_000;
