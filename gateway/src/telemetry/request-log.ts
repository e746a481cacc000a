import type { Kysely } from "kysely";

import { invalidRequest } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import { listRecords, type LogCursor, type LogFilter, type LogRow } from "#store/request-log.ts";
import type { RecordTables } from "#store/schema.ts";
import { pageEnd } from "#telemetry/page-end.ts";
import { csvLine } from "#telemetry/csv.ts";
import { usd } from "#telemetry/report-row.ts";
import { readLimit } from "#telemetry/reports.ts";

export interface LogQuery extends LogFilter {
  readonly cursor?: string | undefined;
  /** 1 to 500; 50 by default. */
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 50;

/**
 * A page of the log, the newest first. With several filters it may be short, or empty, and yet have a
 * `next_cursor`: it has looked at as many requests as a page may. @throws GatewayError for a wrong cursor or limit
 */
export async function requestLog(
  records: Kysely<RecordTables>,
  query: LogQuery,
): Promise<JsonObject> {
  const limit = readLimit(query.limit ?? DEFAULT_LIMIT);
  const page = await listRecords(records, query, { after: readCursor(query.cursor), limit });
  return {
    object: "list",
    data: page.rows.map(logBody),
    ...pageEnd(page.next === undefined ? null : cursorText(page.next)),
  };
}

/** The log as CSV, a page at a time; at most `limit` requests are written. */
export async function* logCsv(
  records: Kysely<RecordTables>,
  query: LogFilter,
  limit = 100_000,
): AsyncGenerator<string> {
  let names: readonly string[] | undefined;
  let written = 0;
  for (let after: LogCursor | undefined; ;) {
    const page = await listRecords(records, query, { after, limit: 500 });
    const bodies = page.rows.slice(0, limit - written).map(logBody);
    names ??= Object.keys(logBody(EMPTY));
    if (after === undefined) yield csvLine(names);
    if (bodies.length > 0) yield bodies.map((body) => csvRow(body, names ?? [])).join("");
    written += bodies.length;
    if (page.next === undefined || written >= limit) return;
    after = page.next;
  }
}

const csvRow = (body: JsonObject, names: readonly string[]): string =>
  csvLine(
    names.map((name) => {
      const value = body[name];
      return Array.isArray(value) ? value.join(" ") : (value as string | number | boolean | null);
    }),
  );

/** A request as lists show it; its trace has all of it. */
export const logBody = (row: LogRow): JsonObject => ({
  id: row.id,
  created_at: new Date(row.started_at).toISOString(),
  organization_id: row.organization_id,
  team_id: row.team_id,
  project_id: row.project_id,
  key_id: row.key_id,
  operation: row.operation,
  protocol: row.protocol,
  model_asked: row.model_asked,
  model: row.model_used,
  provider: row.provider,
  streamed: row.streamed === 1,
  status: row.status,
  failure: row.failure,
  finish_reason: row.finish_reason,
  input_tokens: row.input_tokens,
  output_tokens: row.output_tokens,
  cache_read_tokens: row.cache_read_tokens,
  cache_write_tokens: row.cache_write_tokens,
  reasoning_tokens: row.reasoning_tokens,
  usage_estimated: row.usage_estimated === 1,
  charge_usd: row.charge_nano_usd === null ? null : usd(row.charge_nano_usd),
  cost_usd: row.cost_nano_usd === null ? null : usd(row.cost_nano_usd),
  loss_usd: usd(row.loss_nano_usd),
  cache_saved_usd: usd(row.cache_saved_nano_usd),
  first_content_ms: row.first_content_ms,
  total_ms: row.total_ms,
  overhead_ms: row.overhead_ms,
  session_id: row.session_id,
  conversation: row.conversation,
  in_tool_loop: row.in_tool_loop === 1,
  task: row.task_class,
  user: row.end_user,
  tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
});

/** Of a log without requests the heading is still wanted. */
const EMPTY: LogRow = {
  id: "",
  started_at: 0,
  organization_id: "",
  team_id: null,
  project_id: null,
  key_id: null,
  operation: "",
  protocol: "",
  model_asked: "",
  model_used: null,
  provider: null,
  streamed: 0,
  status: 0,
  failure: null,
  finish_reason: null,
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  usage_estimated: 0,
  cost_nano_usd: null,
  charge_nano_usd: null,
  loss_nano_usd: 0,
  cache_saved_nano_usd: 0,
  first_content_ms: null,
  total_ms: 0,
  overhead_ms: 0,
  session_id: null,
  conversation: null,
  in_tool_loop: 0,
  task_class: null,
  end_user: null,
  tags: null,
};

const cursorText = ({ startedAt, id }: LogCursor): string =>
  Buffer.from(`${startedAt} ${id}`).toString("base64url");

function readCursor(cursor: string | undefined): LogCursor | undefined {
  if (cursor === undefined) return undefined;
  const [, time, id] =
    /^(\d{1,15}) (\S{1,100})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (time !== undefined && id !== undefined) return { startedAt: Number(time), id };
  throw invalidRequest("cursor", '"cursor" is not one that a page has given as its "next".');
}
