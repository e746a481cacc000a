import { sql, type Kysely, type RawBuilder } from "kysely";

import { isPostgres } from "#store/json-path.ts";
import type { RecordTables } from "#store/schema.ts";

/** What a page of the log shows of a request. */
export const LOG_COLUMNS = [
  "id",
  "started_at",
  "organization_id",
  "team_id",
  "project_id",
  "key_id",
  "operation",
  "protocol",
  "model_asked",
  "model_used",
  "provider",
  "streamed",
  "status",
  "failure",
  "finish_reason",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "usage_estimated",
  "cost_nano_usd",
  "charge_nano_usd",
  "loss_nano_usd",
  "cache_saved_nano_usd",
  "first_content_ms",
  "total_ms",
  "overhead_ms",
  "session_id",
  "conversation",
  "in_tool_loop",
  "task_class",
  "end_user",
  "tags",
] as const;

export type LogRow = Pick<RecordTables["request_records"], (typeof LOG_COLUMNS)[number]>;

/** Which requests a page is about; absent: all. */
export interface LogFilter {
  /** `undefined`: of all organizations, for the operator. */
  readonly organizationId?: string | undefined;
  readonly conversation?: string | undefined;
  readonly endUser?: string | undefined;
  readonly tag?: string | undefined;
  readonly keyId?: string | undefined;
  readonly taskClass?: string | undefined;
  readonly model?: string | undefined;
  readonly projectId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly provider?: string | undefined;
  /** Failed ones only, or only those that did not fail. */
  readonly failed?: boolean | undefined;
  readonly failure?: string | undefined;
  readonly status?: number | undefined;
  /** Unix milliseconds; the end is excluded. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Where a page begins: after this request, towards older ones. */
export interface LogCursor {
  readonly startedAt: number;
  readonly id: string;
}

export interface LogPage {
  readonly rows: readonly LogRow[];
  /** Absent: there are no more. A page may be short of rows, or empty, and yet not be the last. */
  readonly next?: LogCursor;
}

/** Filters that have an index, those that leave the fewest rows first. */
const INDEXED = {
  conversation: "conversation",
  endUser: "end_user",
  keyId: "key_id",
  taskClass: "task_class",
  model: "model_used",
  projectId: "project_id",
  teamId: "team_id",
  provider: "provider",
} as const satisfies Partial<Record<keyof LogFilter, keyof LogRow>>;

type IndexedFilter = keyof typeof INDEXED;

/** Failures are few: only filters that leave fewer rows go before them. */
const BEFORE_FAILURES: ReadonlySet<string> = new Set(["conversation", "endUser", "keyId"]);

type Driver = IndexedFilter | "tag" | "failures" | undefined;

/** Whose index a page is read from. */
function drivingFilter(filter: LogFilter): Driver {
  if (filter.tag !== undefined) return "tag";
  const by = (Object.keys(INDEXED) as IndexedFilter[]).find((name) => filter[name] !== undefined);
  const isOfFailures = filter.failed === true || filter.failure !== undefined;
  return isOfFailures && !BEFORE_FAILURES.has(by ?? "") ? "failures" : by;
}

/**
 * So many rows are looked at for one page where a second filter has to be applied to them: a page
 * takes its time even where nothing is found, and the next one goes on from there. Each of them lies
 * elsewhere on the disk: at 0.1 ms a read, 2,000 would take the 200 ms that a page may.
 */
const MAX_LOOKED_AT = 1_000;

/** A page of the log, the newest first. Each page takes the same time, however many records there are. */
export async function listRecords(
  records: Kysely<RecordTables>,
  filter: LogFilter,
  { after, limit }: { readonly after?: LogCursor | undefined; readonly limit: number },
): Promise<LogPage> {
  const by = drivingFilter(filter);
  const rest = restOf(filter, by);
  const found = candidates(records, { filter, by, after });
  if (rest.length === 0) return pageOf(await found.query.limit(limit + 1).execute(), limit);
  const [oldest] = await found.times.offset(MAX_LOOKED_AT).limit(1).execute();
  let { query } = found;
  if (oldest !== undefined) query = query.where(sql<boolean>`${found.time} >= ${oldest.at}`);
  for (const [column, operator, value] of rest) {
    query = query.where(unindexed(records, column), operator, value);
  }
  const page = pageOf(await query.limit(limit + 1).execute(), limit);
  if (page.next !== undefined || oldest === undefined) return page;
  return { ...page, next: { startedAt: oldest.at, id: BEFORE_ALL_IDS } };
}

/** Without statistics SQLite may take the index of this filter, and read all of its rows that there are. */
function unindexed(records: Kysely<RecordTables>, column: keyof LogRow): RawBuilder<unknown> {
  const named = sql.ref(`request_records.${column}`);
  return isPostgres(records) ? named : sql`+${named}`;
}

/** All of that moment have been looked at. */
const BEFORE_ALL_IDS = "!";

function pageOf(rows: readonly LogRow[], limit: number): LogPage {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return last === undefined
    ? { rows }
    : { rows: rows.slice(0, limit), next: { startedAt: last.started_at, id: last.id } };
}

type Condition = readonly [column: keyof LogRow, operator: "=" | "is" | "is not", value: unknown];

/** What the index that was chosen does not answer. */
function restOf(filter: LogFilter, by: Driver): readonly Condition[] {
  const more: readonly (Condition | undefined)[] = [
    filter.failure === undefined ? undefined : ["failure", "=", filter.failure],
    filter.status === undefined ? undefined : ["status", "=", filter.status],
    filter.failed === true && by !== "failures" ? ["failure", "is not", null] : undefined,
    filter.failed === false ? ["failure", "is", null] : undefined,
  ];
  const indexed = (Object.keys(INDEXED) as IndexedFilter[])
    .filter((name) => filter[name] !== undefined && name !== by)
    .map((name): Condition => [INDEXED[name], "=", filter[name]]);
  return [...indexed, ...more.filter((one) => one !== undefined)];
}

interface Chosen {
  readonly filter: LogFilter;
  readonly by: Driver;
  readonly after: LogCursor | undefined;
}

/** Rows in the order of the page, by the index that leaves the fewest, and their times alone. */
function candidates(records: Kysely<RecordTables>, { filter, by, after }: Chosen) {
  const { organizationId } = filter;
  // Tags have a table of their own, in the same order.
  const table = by === "tag" ? "request_tags" : "request_records";
  const time = sql.ref<number>(`${table}.started_at`);
  const id = sql.ref(by === "tag" ? "request_tags.request_id" : "request_records.id");
  const own = [
    ...(organizationId === undefined
      ? []
      : [sql<boolean>`${sql.ref(`${table}.organization_id`)} = ${organizationId}`]),
    ...chosenBy(filter, by),
    ...inTime(time, filter),
  ];
  let query = records
    .selectFrom("request_records")
    .select(LOG_COLUMNS.map((name) => `request_records.${name}` as const))
    .$if(by === "tag", (all) =>
      all.innerJoin("request_tags", "request_tags.request_id", "request_records.id"),
    );
  let times = records.selectFrom(table).select(time.as("at"));
  for (const condition of [...own, ...upTo(time, after)]) times = times.where(condition);
  for (const condition of [...own, ...upTo(time, after), ...behind(time, id, after)]) {
    query = query.where(condition);
  }
  return {
    time,
    times: times.orderBy(time, "desc"),
    query: query.orderBy(time, "desc").orderBy(id, "desc"),
  };
}

/** What the index answers beside the organization and the time. */
function chosenBy(filter: LogFilter, by: Driver): readonly RawBuilder<boolean>[] {
  if (by === undefined) return [];
  if (by === "tag") return [sql<boolean>`request_tags.tag = ${filter.tag}`];
  if (by === "failures") return [sql<boolean>`request_records.failure is not null`];
  return [sql<boolean>`${sql.ref(`request_records.${INDEXED[by]}`)} = ${filter[by]}`];
}

function inTime(
  time: RawBuilder<unknown>,
  { since, until }: LogFilter,
): readonly RawBuilder<boolean>[] {
  return [
    ...(since === undefined ? [] : [sql<boolean>`${time} >= ${since}`]),
    ...(until === undefined ? [] : [sql<boolean>`${time} < ${until}`]),
  ];
}

/** Where an index begins. */
const upTo = (
  time: RawBuilder<unknown>,
  after: LogCursor | undefined,
): readonly RawBuilder<boolean>[] =>
  after === undefined ? [] : [sql<boolean>`${time} <= ${after.startedAt}`];

const behind = (
  time: RawBuilder<unknown>,
  id: RawBuilder<unknown>,
  after: LogCursor | undefined,
): readonly RawBuilder<boolean>[] =>
  after === undefined ? [] : [sql<boolean>`(${time} < ${after.startedAt} or ${id} < ${after.id})`];
