import type { Generated } from "kysely";

import type { ContentTables } from "#store/tables/content-tables.ts";

/** Sums over requests. Counts, tokens, nano-USD and microseconds: integers all, so that no order matters. */
export const ROLLUP_SUMS = [
  "requests",
  "failed",
  /** Usage that was estimated, and costs that are unknown. */
  "estimated",
  "unpriced",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "charge_nano_usd",
  "cost_nano_usd",
  "loss_nano_usd",
  "cache_saved_nano_usd",
  /** Requests whose cost at the baseline is known, that cost, and what they did cost. */
  "baselined",
  "baseline_nano_usd",
  "baseline_cost_nano_usd",
  /** Requests whose cost the provider reported, that cost, and the computed one. */
  "reported",
  "reported_nano_usd",
  "reported_cost_nano_usd",
  "total_us",
  /** Requests that had content, and how soon; then how many of them within so many milliseconds. */
  "answered",
  "first_us",
  "first_250",
  "first_500",
  "first_1000",
  "first_2000",
  "first_5000",
  "first_10000",
  "first_30000",
] as const;

export type RollupSum = (typeof ROLLUP_SUMS)[number];

/** What a row of `usage_rollups` sums up. */
export interface RollupKey {
  organization_id: string;
  /** `total`, `model`, `key`, `project+model`, …: see `telemetry/rollup-rows.ts`. */
  dimension: string;
  grain: "hour" | "day" | "week" | "month";
  /** When the hour, the UTC day, its week or its month began, Unix milliseconds. */
  bucket: number;
  value: string;
}

/** Metadata of every request: `records.db`, synchronous NORMAL. */
export interface RecordTables extends ContentTables {
  request_records: {
    seq: Generated<number>;
    id: string;
    started_at: number;
    key_id: string | null;
    operation: string;
    protocol: string;
    model_asked: string;
    model_used: string | null;
    provider: string | null;
    upstream_id: string | null;
    streamed: number;
    status: number;
    failure: string | null;
    finish_reason: string | null;
    /** JSON array, one object an attempt. */
    attempts: string;
    input_tokens: number | null;
    output_tokens: number | null;
    cache_read_tokens: number | null;
    cache_write_tokens: number | null;
    reasoning_tokens: number | null;
    /** JSON of the whole usage. */
    usage: string | null;
    usage_estimated: number;
    /** Nano-USD; NULL when unknown, `cost_reason` then says why. */
    cost_nano_usd: bigint | number | null;
    cost_reason: string | null;
    /** Nano-USD that attempts without an answer may have cost the operator. */
    loss_nano_usd: bigint | number;
    /** JSON: how the route was chosen; features only. */
    decision: string | null;
    first_content_ms: number | null;
    total_ms: number;
    overhead_ms: number;
    session_id: string | null;
    end_user: string | null;
    tags: string | null;
    /** JSON array of losses. */
    warnings: string;
    organization_id: string;
    team_id: string | null;
    project_id: string | null;
    task_class: string | null;
    /** The session that the client named, else a hash of how the conversation began. */
    conversation: string | null;
    /** 1: the last message was a tool's result. */
    in_tool_loop: number;
    /** Nano-USD that the caller was charged; `cost_nano_usd` is what the provider costs. */
    charge_nano_usd: bigint | number | null;
    /** What the provider itself says that it charged. */
    provider_reported_nano_usd: bigint | number | null;
    /** Cache reads and writes at the full input price, less what they cost. */
    cache_saved_nano_usd: bigint | number;
    /** What the same tokens would have cost at the flagship. */
    baseline_nano_usd: bigint | number | null;
    /** JSON: bounds of the policy that applied. */
    policy: string | null;
  };
  /** Tags of requests, to find them by. */
  request_tags: {
    organization_id: string;
    tag: string;
    started_at: number;
    request_id: string;
  };
  /** Months whose days were summed up: when each began, Unix milliseconds. */
  rollup_months: { month: number };
  /** Weeks, likewise: they begin on Mondays. */
  rollup_weeks: { week: number };
  /** Up to when an organization's records were deleted; the sums of that time stay. */
  record_deletions: { organization_id: string; deleted_before: number };
  usage_rollups: RollupKey & Record<RollupSum, number | bigint>;
  /** What callers said of their answers; one score a request. */
  feedback: {
    request_id: string;
    key_id: string;
    organization: string;
    created_at: number;
    /** -1 … 1. */
    score: number;
    /** What it taught about; NULL: the request was in no task class. */
    task_class: string | null;
    model: string | null;
    /** AES-256-GCM of the caller's words. */
    comment: Uint8Array | null;
    /** NULL: sealed by the master key itself, as before there were keys of subjects. */
    encryption_key: string | null;
  };
  /** What was learnt of a model in a task class. */
  route_posteriors: {
    organization: string;
    task_class: string;
    model: string;
    /** Weighted good and bad answers by feedback, as they counted at `updated_at`. */
    good: number;
    bad: number;
    /** The same of the bad ones that were only guessed from signals. */
    signalled: number;
    updated_at: number;
  };
}
