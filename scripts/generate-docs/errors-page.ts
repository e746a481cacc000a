import { FAILURES, type FailureCode } from "../../gateway/src/canonical/failure.ts";
import { code, generatedFrom, table } from "./markdown.ts";

interface Explanation {
  readonly meaning: string;
  readonly remedy: string;
  /** The code has its place in every dialect, and nothing raises it yet. */
  readonly reserved?: true;
}

/** One for every code: a new one without words does not compile. */
export const EXPLANATIONS: Readonly<Record<FailureCode, Explanation>> = {
  invalid_request: {
    meaning: "The request cannot be read: broken JSON, a wrong type, a missing field.",
    remedy: "Mend the field that the error names.",
  },
  unsupported_parameter: {
    meaning: "A field that the provider or the gateway does not offer.",
    remedy: "Leave the field out, or name another model.",
  },
  context_length_exceeded: {
    meaning: "The prompt is longer than the model's context.",
    remedy: "Shorten the prompt, or name a model with a longer context.",
  },
  content_policy: {
    meaning: "The provider's content filter refused prompt or answer.",
    remedy: "Change the prompt; another provider of the model may judge differently.",
  },
  guardrail_blocked: {
    meaning: "A guardrail of the key's policy stopped the request or its answer.",
    remedy: "The message says which guardrail and why, never what stood there.",
  },
  zdr_no_endpoint: {
    meaning: "No endpoint with documented zero retention can serve the request.",
    remedy: "Ask for another model, or see GET /v1/models for endpoints with `zero_retention`.",
  },
  unauthenticated: {
    meaning: "No key, or one that the gateway does not know.",
    remedy: "Send one of Turnpike's keys (`turnpike keys create`), not a provider's.",
  },
  budget_exhausted: {
    meaning: "A budget or the credits do not cover what the request may cost at worst.",
    remedy: "The message names the budget, what is used of it and when it begins anew.",
  },
  budget_held: {
    meaning: "What requests under way hold leaves no room for this one.",
    remedy: "Send it again after `retry-after`.",
  },
  payment_required: {
    meaning: "No key was sent, and the request has its price; or what was paid does not do.",
    remedy: "Sign an offer of PAYMENT-REQUIRED (x402), prove a wallet with credit, or use a key.",
  },
  payment_used: {
    meaning: "The payment was used for a request already, or is for another one.",
    remedy: "What is left of it is credit of its wallet; the message names the request.",
  },
  payment_pending: {
    meaning: "It is not known yet whether a payment was settled.",
    remedy: "Send the same request with the same PAYMENT-SIGNATURE again; sign no new one.",
  },
  price_unknown: {
    meaning: "Nobody knows what the model costs, and a budget or prepaid credits bound the key.",
    remedy: "Ask for a model with a price, or set one for it (price override).",
  },
  policy_denied: {
    meaning:
      "A policy of the organization, team, project or key leaves nothing that could serve it.",
    remedy: "The message names rule and level: ask whoever administers it, or name another model.",
  },
  forbidden: {
    meaning: "The key may not do this, may not be used from there, or is out of force.",
    remedy: "The message says which; ask whoever administers the key, or use another.",
  },
  setup_needed: {
    meaning: "Admin API: nobody can sign in yet.",
    remedy: "Open the setup link that the gateway printed, or that `turnpike setup-token` prints.",
  },
  unknown_model: {
    meaning: "No model has this name.",
    remedy: "Take one of the near names in the message, or of `GET /v1/models`.",
  },
  not_found: {
    meaning: "No such path, stored response or request.",
    remedy: "Look at the path and the id. Responses are kept only with `store: true`.",
  },
  method_not_allowed: {
    meaning: "The path exists for another method.",
    remedy: "Use that method.",
    reserved: true,
  },
  request_timeout: {
    meaning: "The request's body came too slowly.",
    remedy: "Send it again.",
    reserved: true,
  },
  conflict: {
    meaning: "The request contradicts another one, or what is there already.",
    remedy: "The message says what; if it is a request under way, send it again once that is done.",
  },
  idempotency_in_flight: {
    meaning: "The first request with this `Idempotency-Key` is still being answered.",
    remedy: "Ask again after `retry-after`.",
  },
  already_completed: {
    meaning: "The request with this `Idempotency-Key` was answered, and answers are not kept.",
    remedy: "The message names that request; it is neither repeated nor charged again.",
  },
  payload_too_large: {
    meaning: "The body is over `limits.bodyBytes` (32 MiB by default).",
    remedy: "Send large files by URL or file id.",
  },
  precondition_failed: {
    meaning: "Admin API: the object was changed since it was read (`If-Match`).",
    remedy: "Read it again and decide anew.",
  },
  precondition_required: {
    meaning: "Admin API: an update without `If-Match`.",
    remedy: "Send the `ETag` of the object as it was read.",
  },
  idempotency_mismatch: {
    meaning: "The `Idempotency-Key` was used before, for another request.",
    remedy: "Use a new key for a new request.",
  },
  unsupported_media_type: {
    meaning: "The body is not JSON.",
    remedy: "Send JSON.",
  },
  rate_limited: {
    meaning: "A rate limit of the organization, team, project, key, end user or model is used up.",
    remedy: "Wait as long as `retry-after` says; the message names limit and level.",
  },
  client_closed: {
    meaning: "The client left, or read nothing for a minute. Only records have this code.",
    remedy: "–",
  },
  internal: {
    meaning: "A fault of the gateway.",
    remedy: "Look for the request id in its log, and report it.",
  },
  store_unavailable: {
    meaning: "The gateway cannot write to its data folder.",
    remedy: "Look at the disk and at the folder's permissions.",
  },
  shutting_down: {
    meaning: "The gateway is stopping.",
    remedy: "Send the request again.",
    reserved: true,
  },
  unavailable: {
    meaning: "Every endpoint that could serve this request is busy, or kept away from for now.",
    remedy:
      "Retry after the time in `retry-after`; `GET /api/health/endpoints` says what is wrong.",
  },
  superseded: {
    meaning: "In records only: an attempt that was ended because a hedge answered first.",
    remedy: "Nothing is wrong.",
  },
  no_route: {
    meaning: "The model is known, but no configured provider can serve this request.",
    remedy: "The message has the reason for each provider: set a key, or relax a preference.",
  },
  upstream_invalid_request: {
    meaning: "The provider refused the request as wrong.",
    remedy: "Its own words are in the message.",
  },
  upstream_auth: {
    meaning: "The provider refused the gateway's key.",
    remedy: "Renew the provider's key; `turnpike doctor` checks all of them.",
  },
  upstream_quota: {
    meaning: "The provider's account is out of credit.",
    remedy: "Pay, or use another provider.",
  },
  upstream_rate_limited: {
    meaning: "The provider's rate limit.",
    remedy: "Wait as long as `retry-after` says, or add another provider of the model.",
  },
  upstream_model_missing: {
    meaning: "The provider does not have the model, or not for this account.",
    remedy: "Name another model, or have it enabled at the provider.",
  },
  upstream_overloaded: {
    meaning: "The provider is overloaded.",
    remedy: "Send the request again later, or add another provider of the model.",
  },
  loop_detected: {
    meaning:
      "The request came back to a gateway that it went through: a provider's base URL leads back here.",
    remedy: "Set that base URL to the provider's own address, or leave it out.",
  },
  upstream_error: {
    meaning: "The provider failed.",
    remedy: "Send the request again.",
  },
  upstream_unreachable: {
    meaning: "No connection to the provider, or its address is private and not configured.",
    remedy: "Look at the network; an address of your own belongs in `turnpike.yaml`.",
  },
  upstream_timeout: {
    meaning: "The provider did not answer in time.",
    remedy: "Send the request again, or raise `timeouts`.",
  },
  upstream_malformed: {
    meaning: "The provider's answer is not of its protocol: HTML, broken JSON, an empty body.",
    remedy: "Send the request again; for a server of your own, look at its base URL.",
  },
  upstream_truncated: {
    meaning: "The provider's answer broke off.",
    remedy: "Send the request again. What had arrived was delivered.",
  },
};

const INTRODUCTION = `# Errors

${generatedFrom("gateway/src/canonical/failure.ts")}
Every failure has one of these codes. Each dialect writes it in its own error body; where the codes
stand there is in [the API](api.md#errors). \`upstream_*\` are a provider's faults, the others the
request's or the gateway's.

- **Another route**: whether the gateway tries the next provider or model before it gives up. After
  the first content of a stream it never does.
- **Retry**: \`no\` is sent as \`x-should-retry: false\`, because the SDKs of OpenAI and Anthropic would
  repeat the request by themselves, in vain.
`;

/** The page `docs/errors.md`. */
export function renderErrorsPage(): string {
  const codes = (Object.keys(FAILURES) as FailureCode[]).filter((name) => !isReserved(name));
  const rows = codes.map((name) => {
    const kind: { status: number; tryNext: boolean; clientRetry?: false } = FAILURES[name];
    const { meaning, remedy } = EXPLANATIONS[name];
    return [
      code(name),
      String(kind.status),
      kind.tryNext ? "yes" : "no",
      kind.clientRetry === false ? "no" : "",
      meaning,
      remedy,
    ];
  });
  const reserved = (Object.keys(FAILURES) as FailureCode[]).filter(isReserved).map(code);
  return [
    INTRODUCTION,
    table(["Code", "Status", "Another route", "Retry", "Meaning", "What to do"], rows),
    `Reserved, and raised by nothing yet: ${reserved.join(", ")}.\n`,
  ].join("\n");
}

const isReserved = (name: FailureCode): boolean => EXPLANATIONS[name].reserved === true;
