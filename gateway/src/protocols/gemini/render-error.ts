import { failureKind } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** Names of `google.rpc.Code` by HTTP status. */
const STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  402: "FAILED_PRECONDITION",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  408: "DEADLINE_EXCEEDED",
  409: "ABORTED",
  413: "INVALID_ARGUMENT",
  415: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** The error body; the gateway's own code, request id and field are in an `ErrorInfo`. */
export function renderError(failure: Failure, requestId: string): JsonObject {
  const { status } = failureKind(failure);
  const { retryAfterMs } = failure;
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: failure.code.toUpperCase(),
    domain: "turnpike",
    metadata: compact({ requestId, field: failure.field }),
  };
  const retry = {
    "@type": "type.googleapis.com/google.rpc.RetryInfo",
    retryDelay: `${Math.ceil((retryAfterMs ?? 0) / 1000)}s`,
  };
  return {
    error: {
      code: status,
      message: failure.message,
      status: STATUS[status] ?? "UNKNOWN",
      details: retryAfterMs === undefined ? [info] : [info, retry],
    },
  };
}
