import type { Generated } from "kysely";

/** Metadata of every request: `records.db`, synchronous NORMAL. */
export interface RecordTables {
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
  };
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
