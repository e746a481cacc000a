import { sql, type Kysely, type RawBuilder } from "kysely";

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

/**
 * So many rows are looked at for one page where a second filter has to be applied to them: a page
 * takes its time even where nothing is found, and the next one goes on from there.
 */
const MAX_LOOKED_AT = 5_000;

/** A page of the log, the newest first. Each page takes the same time, however many records there are. */
export async function listRecords(
  records: Kysely<RecordTables>,
  filter: LogFilter,
  { after, limit }: { readonly after?: LogCursor | undefined; readonly limit: number },
): Promise<LogPage> {
  const by = (Object.keys(INDEXED) as IndexedFilter[]).find((name) => filter[name] !== undefined);
  const rest = restOf(filter, by);
  const all = candidates(records, { filter, by, after });
  if (rest.length === 0) return pageOf(await all.limit(limit + 1).execute(), limit);
  const looked = all.limit(MAX_LOOKED_AT).as("looked");
  let query = records.selectFrom(looked).selectAll();
  for (const [column, operator, value] of rest) {
    query = query.where(sql.ref(`looked.${column}`), operator, value);
  }
  const rows = (await query
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute()) as LogRow[];
  const page = pageOf(rows, limit);
  if (page.next !== undefined) return page;
  const [last] = await all
    .clearSelect()
    .select(["request_records.started_at", "request_records.id"])
    .offset(MAX_LOOKED_AT - 1)
    .limit(1)
    .execute();
  return last === undefined ? page : { rows, next: { startedAt: last.started_at, id: last.id } };
}

function pageOf(rows: readonly LogRow[], limit: number): LogPage {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return last === undefined
    ? { rows }
    : { rows: rows.slice(0, limit), next: { startedAt: last.started_at, id: last.id } };
}

type Condition = readonly [column: keyof LogRow, operator: "=" | "is" | "is not", value: unknown];

/** What the index that was chosen does not answer. */
function restOf(filter: LogFilter, by: IndexedFilter | undefined): readonly Condition[] {
  const isFailedIndex = by === undefined && filter.tag === undefined && filter.failed === true;
  const more: readonly (Condition | undefined)[] = [
    filter.failure === undefined ? undefined : ["failure", "=", filter.failure],
    filter.status === undefined ? undefined : ["status", "=", filter.status],
    filter.failed === true && !isFailedIndex ? ["failure", "is not", null] : undefined,
    filter.failed === false ? ["failure", "is", null] : undefined,
  ];
  const indexed = (Object.keys(INDEXED) as IndexedFilter[])
    .filter((name) => filter[name] !== undefined && (name !== by || filter.tag !== undefined))
    .map((name): Condition => [INDEXED[name], "=", filter[name]]);
  return [...indexed, ...more.filter((one) => one !== undefined)];
}

interface Chosen {
  readonly filter: LogFilter;
  readonly by: IndexedFilter | undefined;
  readonly after: LogCursor | undefined;
}

/** Rows in the order of the page, by the index that leaves the fewest. */
function candidates(records: Kysely<RecordTables>, { filter, by, after }: Chosen) {
  const { tag, organizationId } = filter;
  // Tags have a table of their own, in the same order.
  const table = tag === undefined ? "request_records" : "request_tags";
  const time = sql.ref(`${table}.started_at`);
  const id = sql.ref(tag === undefined ? "request_records.id" : "request_tags.request_id");
  const is = (column: string, value: string) => sql<boolean>`${sql.ref(column)} = ${value}`;
  const conditions = [
    ...(organizationId === undefined ? [] : [is(`${table}.organization_id`, organizationId)]),
    ...chosenBy({ filter, by }, is),
    ...inTime(time, id, { filter, after }),
  ];
  let query = records
    .selectFrom("request_records")
    .select(LOG_COLUMNS.map((name) => `request_records.${name}` as const))
    .$if(tag !== undefined, (all) =>
      all.innerJoin("request_tags", "request_tags.request_id", "request_records.id"),
    );
  for (const condition of conditions) query = query.where(condition);
  return query.orderBy(time, "desc").orderBy(id, "desc");
}

/** What the index answers beside the organization and the time. */
function chosenBy(
  { filter, by }: Omit<Chosen, "after">,
  is: (column: string, value: string) => RawBuilder<boolean>,
): readonly RawBuilder<boolean>[] {
  const { tag, failed, failure } = filter;
  if (tag !== undefined) return [is("request_tags.tag", tag)];
  if (by !== undefined) return [is(`request_records.${INDEXED[by]}`, filter[by] ?? "")];
  return failed === true || failure !== undefined
    ? [sql<boolean>`request_records.failure is not null`]
    : [];
}

type Time = Pick<Chosen, "filter" | "after">;

function inTime(
  time: RawBuilder<unknown>,
  id: RawBuilder<unknown>,
  { filter: { since, until }, after }: Time,
): readonly RawBuilder<boolean>[] {
  return [
    ...(since === undefined ? [] : [sql<boolean>`${time} >= ${since}`]),
    ...(until === undefined ? [] : [sql<boolean>`${time} < ${until}`]),
    // The first half alone is what an index can begin at.
    ...(after === undefined
      ? []
      : [
          sql<boolean>`${time} <= ${after.startedAt}`,
          sql<boolean>`(${time} < ${after.startedAt} or ${id} < ${after.id})`,
        ]),
  ];
}
