import type { Usage } from "#canonical/usage.ts";
import type { NewRecord } from "#store/request-records.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";

/** A record as the store keeps it. The order of the members is that of the statement's columns. */
export function recordRow(record: RequestRecord): NewRecord {
  return {
    id: record.id,
    started_at: record.startedAt,
    organization_id: record.organizationId,
    team_id: record.teamId,
    project_id: record.projectId,
    key_id: record.keyId,
    operation: record.operation,
    protocol: record.protocol,
    model_asked: storable(record.modelAsked),
    model_used: storable(record.modelUsed),
    provider: record.provider,
    upstream_id: storable(record.upstreamId),
    streamed: record.streamed ? 1 : 0,
    status: record.status,
    failure: record.failure,
    finish_reason: record.finishReason,
    attempts: JSON.stringify(record.attempts),
    ...usageColumns(record.usage),
    cost_nano_usd: record.costNanoUsd,
    cost_reason: record.costReason,
    charge_nano_usd: record.chargeNanoUsd,
    provider_reported_nano_usd: record.providerReportedNanoUsd,
    cache_saved_nano_usd: record.cacheSavedNanoUsd,
    baseline_nano_usd: record.baselineNanoUsd,
    loss_nano_usd: record.lossNanoUsd,
    decision: record.decision === null ? null : JSON.stringify(record.decision),
    policy: record.policy === null ? null : JSON.stringify(record.policy),
    first_content_ms: record.firstContentMs,
    total_ms: record.totalMs,
    overhead_ms: record.overheadMs,
    session_id: storable(record.sessionId),
    conversation: storable(record.conversation),
    in_tool_loop: record.inToolLoop ? 1 : 0,
    task_class: record.taskClass,
    end_user: storable(record.endUser),
    tags: record.tags.length === 0 ? null : JSON.stringify(record.tags.map((tag) => storable(tag))),
    warnings: JSON.stringify(record.warnings),
  };
}

/** Postgres takes no NUL in a text: a caller's own words must not keep a record from being stored. */
function storable(text: string): string;
function storable(text: string | null): string | null;
function storable(text: string | null): string | null {
  return text?.includes("\0") === true ? text.replaceAll("\0", "\uFFFD") : text;
}

/** The counts that reports sum up have columns of their own; the rest is in the JSON. */
function usageColumns(usage: Usage | null) {
  if (usage === null) return NO_USAGE;
  const { cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: cacheReadTokens,
    cache_write_tokens: cacheWrite5mTokens + cacheWrite1hTokens,
    reasoning_tokens: usage.reasoningTokens ?? 0,
    usage: JSON.stringify(usage),
    usage_estimated: usage.estimated === true ? 1 : 0,
  };
}

const NO_USAGE = {
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  usage: null,
  usage_estimated: 0,
} as const;
