import { asString, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { callerMessage } from "#lib/mask-secrets.ts";
import { retryAfterMs } from "#lib/retry-after.ts";
import { classifyFailure } from "#canonical/classify-failure.ts";
import type { Failure, FailureCode } from "#canonical/failure.ts";
import type { UpstreamError } from "#protocols/codec.ts";

/** Classifies an error answer: `{id, message}`, in newer ones with an `error_type`. */
export function parseError({ status, headers, text }: UpstreamError): Failure {
  const body = parseObject(text) ?? { message: text };
  const retry = retryAfterMs(headers);
  const failure = failureOf(body, status);
  return retry === undefined ? failure : { ...failure, retryAfterMs: retry };
}

export function failureOf(body: JsonObject, status: number): Failure {
  const message = asString(body["message"]);
  const upstreamCode = asString(body["error_type"]);
  return {
    code: classify({ status, code: upstreamCode ?? "", message: message ?? "" }),
    message: callerMessage(message, `The provider answered with HTTP status ${status}.`),
    upstreamStatus: status,
    ...(upstreamCode !== undefined && { upstreamCode }),
  };
}

/** What Cohere says in its own words; the shared rules come after. */
const RULES: readonly (readonly [RegExp, FailureCode])[] = [
  // 422 for what the model failed at, not the caller.
  [/no valid response generated/i, "upstream_error"],
  [/invalid api token|no api key supplied/i, "upstream_auth"],
  [/calls? \/ month|monthly limit/i, "upstream_quota"],
  [/model .{0,120}(?:not found|does not exist|was removed)/i, "upstream_model_missing"],
];

function classify(signs: {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}): FailureCode {
  for (const [pattern, code] of RULES) if (pattern.test(signs.message)) return code;
  // Cohere's own status of a token that is not known.
  return signs.status === 498 ? "upstream_auth" : classifyFailure(signs);
}
