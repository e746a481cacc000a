import { sql, type Kysely, type RawBuilder } from "kysely";

import { isPostgres } from "#store/json-path.ts";
import type { RecordTables } from "#store/schema.ts";
import { listFolded, NONE_FOLDED, spansOf, type Folded, type Span } from "#store/rollup-periods.ts";
import { ROLLUP_SUMS, type RollupKey, type RollupSum } from "#store/tables/record-tables.ts";

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
  /** These only. */
  readonly values?: readonly string[] | undefined;
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

type Row = Pick<RollupKey, "bucket" | "value"> & Record<RollupSum, number | bigint>;

interface Selection {
  readonly filter: RollupFilter;
  readonly folded: Folded;
  /** What is read of each row; all sums by default. */
  readonly columns?: readonly RollupSum[];
}

/**
 * Rows of days, and of whole months and weeks where those are summed up: a year is some 30 rows a
 * value, not 365. Each span is a query of its own, for an index can begin at one span and not at several.
 */
function selected(
  records: Kysely<RecordTables>,
  { filter, folded, columns = ROLLUP_SUMS }: Selection,
) {
  const names = sql.join(columns.map((name) => sql.ref(name)));
  const table = tableOf(records, filter);
  const queries = spansOf(filter, folded).map(
    (span) =>
      sql`select bucket, value, ${names} from ${table} where ${sql.join(conditions(table, filter, span), sql` and `)}`,
  );
  return records.selectFrom(sql<Row>`(${sql.join(queries, sql` union all `)})`.as("rows"));
}

/** Without statistics, which gateways do not gather, SQLite takes the primary key even for one value. */
function tableOf(records: Kysely<RecordTables>, filter: RollupFilter): RawBuilder<unknown> {
  const { value, values, prefix } = filter;
  const isOfSome = value !== undefined || values !== undefined || prefix !== undefined;
  return isOfSome && !isPostgres(records)
    ? sql`usage_rollups indexed by usage_rollups_of_value`
    : sql`usage_rollups`;
}

function conditions(
  table: RawBuilder<unknown>,
  { organizationId, dimension, value, values, prefix }: RollupFilter,
  { grain, since, until }: Span,
): readonly RawBuilder<unknown>[] {
  const whose = [
    organizationId === undefined
      ? sql`organization_id in ${leaping(sql`usage_rollups`, "organization_id")}`
      : sql`organization_id = ${organizationId}`,
    sql`dimension = ${dimension}`,
  ];
  return [
    ...whose,
    sql`grain = ${sql.lit(grain)}`,
    sql`bucket >= ${since}`,
    sql`bucket < ${until}`,
    ...(value === undefined ? [] : [sql`value = ${value}`]),
    ...(values === undefined ? [] : [sql`value in (${sql.join(values)})`]),
    // Which they are, the index alone tells; then it can begin at each one's time. Not LIKE: what
    // callers name may hold its signs.
    ...(prefix === undefined
      ? []
      : [
          sql`value in ${leaping(table, "value", { whose: [...whose, sql`value < ${afterPrefix(prefix)}`], from: prefix })}`,
        ]),
  ];
}

/**
 * The different values of a column, from one to the next by an index, where DISTINCT would read all
 * rows. An index begins at one place: where to begin is no condition of those that follow.
 */
function leaping(
  table: RawBuilder<unknown>,
  column: "organization_id" | "value",
  {
    whose = [],
    from = "",
  }: { readonly whose?: readonly RawBuilder<unknown>[]; readonly from?: string } = {},
): RawBuilder<unknown> {
  const name = sql.ref(column);
  const least = (condition: RawBuilder<unknown>) =>
    sql`select min(${name}) from ${table} where ${sql.join([...whose, condition], sql` and `)}`;
  return sql`(with recursive known(one) as (
    ${least(sql`${name} >= ${from}`)} union all select (${least(sql`${name} > one`)}) from known where one is not null
  ) select one from known where one is not null)`;
}

/** The first text that is behind all that begin so. */
const afterPrefix = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/**
 * Sums by value, a page of them; one more row than asked for tells that there are more. The page is
 * found by the one sum that it is in the order of; only its own rows are summed up whole.
 */
export async function sumByValue(
  records: Kysely<RecordTables>,
  filter: RollupFilter,
  { order, after, limit }: ReportPage,
): Promise<readonly (Sums & { readonly value: string })[]> {
  const folded = await listFolded(records);
  const amount = sql<number | bigint>`sum(${sql.ref(REPORT_ORDERS[order])})`;
  const columns = [REPORT_ORDERS[order]];
  let query = selected(records, { filter, folded, columns }).groupBy("value").select("value");
  if (after !== undefined) {
    query = query.having(
      sql<boolean>`(${amount} < ${after.amount} or (${amount} = ${after.amount} and value > ${after.value}))`,
    );
  }
  const found = await query
    .orderBy(amount, "desc")
    .orderBy("value")
    .limit(limit + 1)
    .execute();
  const values = found.map(({ value }) => value);
  if (values.length === 0) return [];
  const { prefix: _prefix, ...rest } = filter;
  const sums = await selected(records, { filter: { ...rest, values }, folded })
    .groupBy("value")
    .select(["value", ...summed])
    .execute();
  const byValue = new Map(sums.map((row) => [row.value, row]));
  return values.map((value) => byValue.get(value)).filter((row) => row !== undefined);
}

/** Sums by value, all of them: there are not more than a day's bounds allow. */
export async function listSums(
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): Promise<readonly (Sums & { readonly value: string })[]> {
  const folded = await listFolded(records);
  return selected(records, { filter, folded })
    .groupBy("value")
    .select(["value", ...summed])
    .execute();
}

/** Sums by UTC day, oldest first; days without requests have no row. */
export const sumByDay = (
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): Promise<readonly (Sums & { readonly bucket: number })[]> =>
  selected(records, { filter, folded: NONE_FOLDED })
    .groupBy("bucket")
    .select(["bucket", ...summed])
    .orderBy("bucket")
    .execute();

/** One row of sums over all that the filter names. */
export async function sumAll(records: Kysely<RecordTables>, filter: RollupFilter): Promise<Sums> {
  const folded = await listFolded(records);
  return selected(records, { filter, folded }).select(summed).executeTakeFirstOrThrow();
}

/** Sums by hour over all requests, oldest first. */
export function sumByHour(
  records: Kysely<RecordTables>,
  { organizationId, since, until }: Omit<RollupFilter, "dimension">,
): Promise<readonly (Sums & { readonly bucket: number })[]> {
  const query = records
    .selectFrom("usage_rollups")
    .where("dimension", "=", "total")
    .where("grain", "=", "hour")
    .where("bucket", ">=", since)
    .where("bucket", "<", until);
  return (
    organizationId === undefined ? query : query.where("organization_id", "=", organizationId)
  )
    .groupBy("bucket")
    .select(["bucket", ...summed])
    .orderBy("bucket")
    .execute();
}

/** Sums of each day and value, by day: what is exported. Pages by key, not by number. */
export async function* dayPages(
  records: Kysely<RecordTables>,
  filter: RollupFilter,
): AsyncGenerator<readonly Row[]> {
  for (let after: Pick<Row, "bucket" | "value"> | undefined; ;) {
    let query = selected(records, {
      filter: { ...filter, since: after?.bucket ?? filter.since },
      folded: NONE_FOLDED,
    })
      .groupBy(["bucket", "value"])
      .select(["bucket", "value", ...summed]);
    if (after !== undefined) {
      const { bucket, value } = after;
      query = query.where(sql<boolean>`(bucket > ${bucket} or value > ${value})`);
    }
    const rows = await query.orderBy("bucket").orderBy("value").limit(EXPORT_PAGE).execute();
    if (rows.length > 0) yield rows;
    if (rows.length < EXPORT_PAGE) return;
    after = rows.at(-1);
  }
}

const EXPORT_PAGE = 1_000;
