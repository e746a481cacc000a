import type { Kysely } from "kysely";

import { asObject, asObjects, type JsonObject } from "#lib/json.ts";
import { formatUsd } from "#lib/money.ts";
import { findFeedback } from "#store/feedback.ts";
import { findRecord, type RecordRow } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";

/** A request record as the API gives it, with the key that it belongs to. */
export interface Generation {
  readonly keyId: string | null;
  readonly body: JsonObject;
}

/** The record of a request by its id. */
export async function findGeneration(
  records: Kysely<RecordTables>,
  id: string,
): Promise<Generation | undefined> {
  const [row, feedback] = await Promise.all([findRecord(records, id), findFeedback(records, id)]);
  return (
    row && {
      keyId: row.key_id,
      body: { ...recordBody(row), feedback_score: feedback?.score ?? null },
    }
  );
}

/** Costs are given twice, as decimal text and in nano-USD; both are exact. */
export function recordBody(row: RecordRow): JsonObject {
  const cost = row.cost_nano_usd === null ? null : BigInt(row.cost_nano_usd);
  return {
    id: row.id,
    object: "generation",
    created_at: new Date(row.started_at).toISOString(),
    operation: row.operation,
    protocol: row.protocol,
    model_asked: row.model_asked,
    model: row.model_used,
    provider: row.provider,
    upstream_id: row.upstream_id,
    streamed: row.streamed === 1,
    status: row.status,
    failure: row.failure,
    finish_reason: row.finish_reason,
    attempts: asObjects(JSON.parse(row.attempts)).map(inSnakeCase),
    usage: row.usage === null ? null : inSnakeCase(asObject(JSON.parse(row.usage))),
    usage_estimated: row.usage_estimated === 1,
    cost_usd: cost === null ? null : formatUsd(cost),
    cost_nano_usd: cost === null ? null : Number(cost),
    cost_reason: row.cost_reason,
    loss_nano_usd: Number(row.loss_nano_usd),
    decision: row.decision === null ? null : asObject(JSON.parse(row.decision)),
    first_content_ms: rounded(row.first_content_ms),
    total_ms: rounded(row.total_ms),
    overhead_ms: rounded(row.overhead_ms),
    session_id: row.session_id,
    user: row.end_user,
    tags: row.tags === null ? [] : JSON.parse(row.tags),
    warnings: JSON.parse(row.warnings),
  };
}

/** Names as the rest of the API writes them; times to the hundredth of a millisecond. */
const inSnakeCase = (object: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name.replaceAll(/[A-Z]|\d+/g, (found) => `_${found.toLowerCase()}`),
      name.endsWith("Ms") && typeof value === "number" ? rounded(value) : value,
    ]),
  );

function rounded(ms: number): number;
function rounded(ms: number | null): number | null;
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 100) / 100;
}
