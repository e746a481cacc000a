/** What to keep away from for a while after a failure. */
type Cool = "nothing" | "credential" | "credential-model" | "endpoint";

interface FailureKind {
  /** HTTP status that the client sees. */
  readonly status: number;
  /** Whether another route may answer the same request. */
  readonly tryNext: boolean;
  readonly cool: Cool;
  /**
   * `false` is sent as `x-should-retry: false`: the SDKs of OpenAI and Anthropic would otherwise
   * repeat a request that cannot succeed, and coding agents do it silently for minutes.
   */
  readonly clientRetry?: false;
}

/**
 * Every way in which a request can fail. `upstream_*` are a provider's faults as classified from
 * status and body; the others are found by the gateway itself.
 */
export const FAILURES = {
  invalid_request: { status: 400, tryNext: false, cool: "nothing" },
  unsupported_parameter: { status: 400, tryNext: true, cool: "nothing" },
  context_length_exceeded: { status: 400, tryNext: true, cool: "nothing" },
  content_policy: { status: 400, tryNext: true, cool: "nothing" },
  /** A guardrail of the caller's own policy stopped the request or its answer. */
  guardrail_blocked: { status: 400, tryNext: false, cool: "nothing", clientRetry: false },
  unauthenticated: { status: 401, tryNext: false, cool: "nothing", clientRetry: false },
  budget_exhausted: { status: 402, tryNext: false, cool: "nothing", clientRetry: false },
  /** The key's policy leaves nothing that could serve the request. */
  policy_denied: { status: 403, tryNext: false, cool: "nothing", clientRetry: false },
  /** Only what requests under way hold is in the way: it may fit when they end. */
  budget_held: { status: 402, tryNext: false, cool: "nothing" },
  /** Whoever has no key pays for each request, or from credit: what, where and how is in its terms. */
  payment_required: { status: 402, tryNext: false, cool: "nothing", clientRetry: false },
  /** A payment that was used already, or for something else. */
  payment_used: { status: 409, tryNext: false, cool: "nothing", clientRetry: false },
  /** Nobody can say yet whether it was paid: the same payment is to be sent again, and no new one made. */
  payment_pending: { status: 503, tryNext: false, cool: "nothing", clientRetry: false },
  price_unknown: { status: 402, tryNext: false, cool: "nothing", clientRetry: false },
  forbidden: { status: 403, tryNext: false, cool: "nothing", clientRetry: false },
  /** Of the admin API, as long as there is nobody who could sign in. */
  setup_needed: { status: 403, tryNext: false, cool: "nothing", clientRetry: false },
  /** No endpoint with documented zero retention can serve it, and no other may. */
  zdr_no_endpoint: { status: 403, tryNext: false, cool: "nothing", clientRetry: false },
  unknown_model: { status: 404, tryNext: false, cool: "nothing", clientRetry: false },
  not_found: { status: 404, tryNext: false, cool: "nothing", clientRetry: false },
  method_not_allowed: { status: 405, tryNext: false, cool: "nothing" },
  request_timeout: { status: 408, tryNext: false, cool: "nothing" },
  conflict: { status: 409, tryNext: false, cool: "nothing", clientRetry: false },
  /** The first request with this idempotency key is still being answered. */
  idempotency_in_flight: { status: 409, tryNext: false, cool: "nothing" },
  /** It was answered, and the answer is not kept. */
  already_completed: { status: 409, tryNext: false, cool: "nothing", clientRetry: false },
  payload_too_large: { status: 413, tryNext: false, cool: "nothing", clientRetry: false },
  /** The object was changed since the caller read it. */
  precondition_failed: { status: 412, tryNext: false, cool: "nothing", clientRetry: false },
  precondition_required: { status: 428, tryNext: false, cool: "nothing", clientRetry: false },
  /** An `Idempotency-Key` that was used for another request. */
  idempotency_mismatch: { status: 422, tryNext: false, cool: "nothing", clientRetry: false },
  unsupported_media_type: { status: 415, tryNext: false, cool: "nothing" },
  rate_limited: { status: 429, tryNext: false, cool: "nothing" },
  client_closed: { status: 499, tryNext: false, cool: "nothing" },
  internal: { status: 500, tryNext: false, cool: "nothing" },
  store_unavailable: { status: 503, tryNext: false, cool: "nothing" },
  /** The request came back to a gateway that had sent it. */
  loop_detected: { status: 508, tryNext: true, cool: "endpoint", clientRetry: false },
  shutting_down: { status: 503, tryNext: false, cool: "nothing" },
  /** Every endpoint that could serve the request is busy, or kept away from for now: come back later. */
  unavailable: { status: 503, tryNext: false, cool: "nothing" },
  /** Ended because another attempt of the same request answered first; no client ever sees it. */
  superseded: { status: 499, tryNext: false, cool: "nothing" },
  no_route: { status: 503, tryNext: false, cool: "nothing", clientRetry: false },

  upstream_invalid_request: { status: 400, tryNext: false, cool: "nothing" },
  upstream_auth: { status: 502, tryNext: true, cool: "credential", clientRetry: false },
  upstream_quota: { status: 502, tryNext: true, cool: "credential", clientRetry: false },
  upstream_rate_limited: { status: 429, tryNext: true, cool: "credential-model" },
  upstream_model_missing: {
    status: 502,
    tryNext: true,
    cool: "credential-model",
    clientRetry: false,
  },
  upstream_overloaded: { status: 503, tryNext: true, cool: "endpoint" },
  upstream_error: { status: 502, tryNext: true, cool: "endpoint" },
  upstream_unreachable: { status: 502, tryNext: true, cool: "endpoint" },
  upstream_timeout: { status: 504, tryNext: true, cool: "endpoint" },
  /** Not the protocol's shape: HTML, broken JSON, a wrong content type, an empty body. */
  upstream_malformed: { status: 502, tryNext: true, cool: "endpoint" },
  /** The answer broke off. */
  upstream_truncated: { status: 502, tryNext: true, cool: "endpoint" },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** One failure as a value: what attempts return and every protocol can render. */
export interface Failure {
  readonly code: FailureCode;
  /** For the caller: what is wrong and what to do. Never holds a credential or another caller's text. */
  readonly message: string;
  /** The field of the caller's request that is at fault: `messages[2].content`. */
  readonly field?: string;
  /** Upstream failures: the provider's HTTP status and its own error code or type. */
  readonly upstreamStatus?: number;
  readonly upstreamCode?: string;
  readonly retryAfterMs?: number;
  /** The client's SDK should not repeat it, other than its code says. */
  readonly clientRetry?: false;
  /** What to pay and how, for whoever has no key. */
  readonly terms?: PaymentTerms;
}

/** What a 402 says beside its error. */
export interface PaymentTerms {
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the body, beside those of the caller's dialect. */
  readonly body: Readonly<Record<string, unknown>>;
}

export const failureKind = (failure: Failure): FailureKind => FAILURES[failure.code];

/** The one error class: thrown anywhere before an answer starts, caught once at the edge. */
export class GatewayError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = "GatewayError";
    this.failure = failure;
  }
}

/** A request that cannot be read: says which field, why, and (in `message`) what would be right. */
export const invalidRequest = (field: string, message: string): GatewayError =>
  new GatewayError({ code: "invalid_request", field, message });
