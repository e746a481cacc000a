import type { Generated } from "kysely";

/** Keys, settings and kept responses: `turnpike.db`, synchronous FULL. All times are Unix milliseconds. */
export interface CoreTables {
  keys: {
    id: string;
    name: string;
    /** HMAC-SHA-256 of the key under the gateway's pepper, hex. */
    digest: string;
    /** First characters and last four, to tell keys apart in lists. */
    hint: string;
    created_at: number;
    revoked_at: number | null;
  };
  stored_responses: {
    id: string;
    key_id: string;
    created_at: number;
    expires_at: number;
    /** AES-256-GCM of the response, its input and the ids before it. */
    sealed: Uint8Array;
  };
}

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
    first_content_ms: number | null;
    total_ms: number;
    overhead_ms: number;
    session_id: string | null;
    end_user: string | null;
    tags: string | null;
    /** JSON array of losses. */
    warnings: string;
  };
}
