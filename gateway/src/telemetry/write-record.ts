import type { Kysely } from "kysely";

import { insertRecord } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";

/** Keeps a record; resolves when it would survive a killed process. */
export type WriteRecord = (record: RequestRecord) => Promise<void>;

export const createRecordWriter =
  (records: Kysely<RecordTables>): WriteRecord =>
  (record) =>
    insertRecord(records, toRow(record));

function toRow(record: RequestRecord): Parameters<typeof insertRecord>[1] {
  const { usage } = record;
  const cacheWrite = (usage?.cacheWrite5mTokens ?? 0) + (usage?.cacheWrite1hTokens ?? 0);
  return {
    id: record.id,
    started_at: record.startedAt,
    key_id: record.keyId,
    operation: record.operation,
    protocol: record.protocol,
    model_asked: record.modelAsked,
    model_used: record.modelUsed,
    provider: record.provider,
    upstream_id: record.upstreamId,
    streamed: record.streamed ? 1 : 0,
    status: record.status,
    failure: record.failure,
    finish_reason: record.finishReason,
    attempts: JSON.stringify(record.attempts),
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cache_read_tokens: usage?.cacheReadTokens ?? null,
    cache_write_tokens: usage === null ? null : cacheWrite,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    usage: usage === null ? null : JSON.stringify(usage),
    usage_estimated: usage?.estimated === true ? 1 : 0,
    cost_nano_usd: record.costNanoUsd,
    cost_reason: record.costReason,
    first_content_ms: record.firstContentMs,
    total_ms: record.totalMs,
    overhead_ms: record.overheadMs,
    session_id: record.sessionId,
    end_user: record.endUser,
    tags: record.tags.length === 0 ? null : JSON.stringify(record.tags),
    warnings: JSON.stringify(record.warnings),
  };
}
