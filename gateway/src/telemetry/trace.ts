import type { Kysely } from "kysely";

import { asObject, asObjects, isObject, type JsonObject } from "#lib/json.ts";
import { listConversation, sumConversation } from "#store/conversations.ts";
import type { LogRow } from "#store/request-log.ts";
import { findRecord, type RecordRow } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";
import { pageEnd } from "#telemetry/page-end.ts";
import { recordBody } from "#telemetry/read-record.ts";
import { logBody } from "#telemetry/request-log.ts";
import { usd } from "#telemetry/report-row.ts";

interface Asked {
  /** `undefined`: of any organization, for the operator. */
  readonly organizationId?: string | undefined;
}

/**
 * One request from its arrival to its end: what was asked, how the route was chosen, each attempt
 * with its times, what it cost. `undefined`: there is none of that id in the organization.
 */
export async function requestTrace(
  records: Kysely<RecordTables>,
  id: string,
  { organizationId }: Asked,
): Promise<JsonObject | undefined> {
  const row = await findRecord(records, id);
  if (row === undefined) return undefined;
  if (organizationId !== undefined && row.organization_id !== organizationId) return undefined;
  return {
    ...recordBody(row),
    organization_id: row.organization_id,
    team_id: row.team_id,
    project_id: row.project_id,
    key_id: row.key_id,
    conversation: row.conversation,
    in_tool_loop: row.in_tool_loop === 1,
    task: row.task_class,
    charge_usd: moneyOf(row.charge_nano_usd),
    provider_reported_usd: moneyOf(row.provider_reported_nano_usd),
    cache_saved_usd: usd(row.cache_saved_nano_usd),
    baseline_usd: moneyOf(row.baseline_nano_usd),
    policy: row.policy === null ? null : asObject(JSON.parse(row.policy)),
    timeline: timelineOf(row),
  };
}

const moneyOf = (nanoUsd: bigint | number | null): string | null =>
  nanoUsd === null ? null : usd(nanoUsd);

/** What happened when, in milliseconds from the request's arrival. */
function timelineOf(row: RecordRow): readonly JsonObject[] {
  const attempts = asObjects(JSON.parse(row.attempts));
  const decision = row.decision === null ? undefined : asObject(JSON.parse(row.decision));
  const steps: JsonObject[] = [
    { at_ms: 0, step: "request", model: row.model_asked, protocol: row.protocol },
  ];
  const firstMs = numberOf(attempts[0]?.["startedMs"]) ?? row.total_ms;
  if (decision !== undefined) steps.push({ at_ms: firstMs, step: "route", ...routeOf(decision) });
  for (const [at, attempt] of attempts.entries()) steps.push(attemptStep(attempt, at));
  if (row.first_content_ms !== null) {
    steps.push({ at_ms: row.first_content_ms, step: "first-content" });
  }
  const { status, failure, finish_reason } = row;
  steps.push({ at_ms: row.total_ms, step: "end", status, failure, finish_reason });
  return steps.map((step) => ({ ...step, at_ms: hundredths(Number(step["at_ms"])) }));
}

function attemptStep(attempt: JsonObject, at: number): JsonObject {
  const { startedMs, durationMs, provider, model, lane, status, failure, reason } = attempt;
  return {
    at_ms: numberOf(startedMs) ?? 0,
    step: "attempt",
    number: at + 1,
    provider,
    model,
    lane,
    status,
    failure,
    reason,
    took_ms: hundredths(numberOf(durationMs) ?? 0),
    ...(attempt["hedge"] === true && { hedge: true }),
    ...(attempt["injected"] !== undefined && { injected: attempt["injected"] }),
  };
}

/** Why it went where it went; `auto` says what it compared. */
function routeOf(decision: JsonObject): JsonObject {
  const { chosen, reason, auto } = decision;
  const assessed = isObject(auto) ? auto : undefined;
  return {
    chosen: chosen ?? null,
    reason: reason ?? null,
    ...(assessed !== undefined && {
      preference: assessed["preference"],
      compared: assessed["compared"],
      flagship: assessed["flagship"],
      ...(isObject(assessed["assessment"]) && {
        task: assessed["assessment"]["taskClass"],
        signals: assessed["assessment"]["signals"],
      }),
    }),
  };
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;
const hundredths = (ms: number): number => Math.round(ms * 100) / 100;

const PAGE = 200;

/**
 * All requests of a session, oldest first, in turns: what a person or program asked, and the tool
 * calls that the agent went through until it was done. `after`: the id of the last request of the
 * page before. `undefined`: there is no such session in the organization.
 */
export async function sessionTrace(
  records: Kysely<RecordTables>,
  session: string,
  { organizationId, after }: Asked & { readonly after?: string | undefined },
): Promise<JsonObject | undefined> {
  const of = { organizationId, conversation: session };
  const start = after === undefined ? undefined : await findRecord(records, after);
  const [rows, sums] = await Promise.all([
    listConversation(records, of, {
      after: start && { startedAt: start.started_at, id: start.id },
      limit: PAGE + 1,
    }),
    sumConversation(records, of),
  ]);
  if (sums.requests === 0) return undefined;
  const shown = rows.slice(0, PAGE);
  return {
    object: "session",
    session,
    requests: sums.requests,
    failed: sums.failed,
    tool_loop_requests: sums.tool_loop,
    began_at: new Date(sums.began).toISOString(),
    ended_at: new Date(sums.ended).toISOString(),
    input_tokens: sums.input_tokens,
    output_tokens: sums.output_tokens,
    cache_read_tokens: sums.cache_read_tokens,
    charge_usd: usd(sums.charge_nano_usd),
    cost_usd: usd(sums.cost_nano_usd),
    cache_saved_usd: usd(sums.cache_saved_nano_usd),
    turns: turnsOf(shown),
    ...pageEnd(rows.length > PAGE ? (shown.at(-1)?.id ?? null) : null),
  };
}

/** A turn begins where the last message is not a tool's result. */
function turnsOf(rows: readonly LogRow[]): readonly JsonObject[] {
  const turns: LogRow[][] = [];
  for (const row of rows) {
    if (row.in_tool_loop === 0 || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(row);
  }
  return turns.map((turn) => ({
    began_at: new Date(turn[0]?.started_at ?? 0).toISOString(),
    requests: turn.map(logBody),
    charge_usd: usd(turn.reduce((sum, row) => sum + BigInt(row.charge_nano_usd ?? 0), 0n)),
    took_ms: tookMs(turn),
  }));
}

/** From the first request's arrival to the last one's end. */
function tookMs(turn: readonly LogRow[]): number {
  const begin = turn[0]?.started_at ?? 0;
  return hundredths(Math.max(...turn.map((row) => row.started_at + row.total_ms)) - begin);
}
