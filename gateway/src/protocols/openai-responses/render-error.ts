import { failureKind } from "#canonical/failure.ts";
import type { Failure, FailureCode } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";

/** Codes that SDKs and coding agents act upon; all others are the gateway's own. */
const CODES: Readonly<Partial<Record<FailureCode, string>>> = {
  unauthenticated: "invalid_api_key",
  unknown_model: "model_not_found",
  upstream_model_missing: "model_not_found",
  content_policy: "content_policy_violation",
  rate_limited: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  budget_exhausted: "insufficient_quota",
  price_unknown: "insufficient_quota",
  upstream_quota: "insufficient_quota",
};

/** The body of an error answer, as OpenAI writes it. */
export function renderError(failure: Failure): JsonObject {
  return {
    error: {
      message: failure.message,
      type: typeOf(failure),
      param: failure.field ?? null,
      code: CODES[failure.code] ?? failure.code,
    },
  };
}

function typeOf(failure: Failure): string {
  const { status } = failureKind(failure);
  if (CODES[failure.code] === "insufficient_quota") return "insufficient_quota";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** Failures that no retry mends: Codex shows their text as it is and stops. */
const FINAL: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "invalid_request",
  "unsupported_parameter",
  "content_policy",
  "upstream_invalid_request",
]);

/**
 * `response.error` of a failed stream. Its codes are a closed list, on which Codex decides what to do:
 * it repeats `server_error`, waits on `rate_limit_exceeded` and shows `invalid_prompt` word for word.
 */
export function streamError(failure: Failure): JsonObject {
  const { code, message } = failure;
  if (code === "context_length_exceeded") return { code, message };
  if (code === "rate_limited" || code === "upstream_rate_limited") {
    return { code: "rate_limit_exceeded", message };
  }
  const isFinal = FINAL.has(code) || failureKind(failure).clientRetry === false;
  return { code: isFinal ? "invalid_prompt" : "server_error", message };
}
