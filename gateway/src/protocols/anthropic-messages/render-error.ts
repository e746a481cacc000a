import type { Failure, FailureCode } from "#canonical/failure.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** Error types of the protocol by code; the official SDKs and Claude Code decide by status and type. */
const TYPES: Readonly<Record<FailureCode, string>> = {
  invalid_request: "invalid_request_error",
  unsupported_parameter: "invalid_request_error",
  context_length_exceeded: "invalid_request_error",
  content_policy: "invalid_request_error",
  guardrail_blocked: "invalid_request_error",
  zdr_no_endpoint: "permission_error",
  unauthenticated: "authentication_error",
  budget_exhausted: "billing_error",
  payment_required: "billing_error",
  payment_used: "invalid_request_error",
  payment_pending: "api_error",
  policy_denied: "permission_error",
  budget_held: "billing_error",
  price_unknown: "billing_error",
  forbidden: "permission_error",
  setup_needed: "permission_error",
  unknown_model: "not_found_error",
  not_found: "not_found_error",
  method_not_allowed: "invalid_request_error",
  request_timeout: "timeout_error",
  conflict: "invalid_request_error",
  idempotency_in_flight: "invalid_request_error",
  already_completed: "invalid_request_error",
  payload_too_large: "request_too_large",
  precondition_failed: "invalid_request_error",
  precondition_required: "invalid_request_error",
  idempotency_mismatch: "invalid_request_error",
  unsupported_media_type: "invalid_request_error",
  rate_limited: "rate_limit_error",
  client_closed: "api_error",
  internal: "api_error",
  store_unavailable: "api_error",
  loop_detected: "api_error",
  shutting_down: "overloaded_error",
  no_route: "overloaded_error",
  unavailable: "overloaded_error",
  superseded: "api_error",
  upstream_invalid_request: "invalid_request_error",
  upstream_auth: "api_error",
  upstream_quota: "api_error",
  upstream_rate_limited: "rate_limit_error",
  upstream_model_missing: "api_error",
  upstream_overloaded: "overloaded_error",
  upstream_error: "api_error",
  upstream_unreachable: "api_error",
  upstream_timeout: "timeout_error",
  upstream_malformed: "api_error",
  upstream_truncated: "api_error",
};

/** The error body; `code` and `field` are the gateway's own members beside the protocol's. */
export const renderError = (failure: Failure, requestId: string): JsonObject => ({
  type: "error",
  error: compact({
    type: TYPES[failure.code],
    message: messageOf(failure),
    code: failure.code,
    field: failure.field,
  }),
  request_id: requestId,
});

/** Claude Code compacts the conversation when it reads these words, and gives up without them. */
function messageOf({ code, message }: Failure): string {
  const known = /prompt is too long/i.test(message);
  return code === "context_length_exceeded" && !known ? `prompt is too long: ${message}` : message;
}
