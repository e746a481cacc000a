import { failureKind } from "#canonical/failure.ts";
import type { Failure, FailureCode } from "#canonical/failure.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { callerMessage } from "#lib/mask-secrets.ts";

/** Codes that OpenAI's clients act upon, where ours has another name. */
const OPENAI_CODES: Partial<Record<FailureCode, string>> = {
  unknown_model: "model_not_found",
  unauthenticated: "invalid_api_key",
  budget_exhausted: "insufficient_quota",
  price_unknown: "insufficient_quota",
  rate_limited: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  content_policy: "content_policy_violation",
};

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 402) return "insufficient_quota";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** The `error` object of OpenAI's dialects. */
export function openaiErrorObject(failure: Failure): JsonObject {
  const { code, message, field, upstreamStatus, upstreamCode } = failure;
  const upstream = compact({
    upstream_status: upstreamStatus,
    // Codes are texts of the provider's, too: one that quotes a key back must not pass.
    upstream_code: upstreamCode === undefined ? undefined : callerMessage(upstreamCode, "unknown"),
  });
  return compact({
    message,
    type: errorType(failureKind(failure).status),
    param: field ?? null,
    code: OPENAI_CODES[code] ?? code,
    metadata: Object.keys(upstream).length === 0 ? undefined : upstream,
  });
}

/** The body of an error answer in OpenAI's dialects: chat, completions, embeddings, moderations. */
export const openaiErrorBody = (failure: Failure, requestId: string): JsonObject => ({
  error: openaiErrorObject(failure),
  request_id: requestId,
});
