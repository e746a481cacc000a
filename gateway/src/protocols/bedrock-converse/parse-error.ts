import { asString, parseObject } from "#lib/json.ts";
import { callerMessage } from "#lib/mask-secrets.ts";
import { retryAfterMs } from "#lib/retry-after.ts";
import { classifyFailure } from "#canonical/classify-failure.ts";
import type { Failure, FailureCode } from "#canonical/failure.ts";
import type { UpstreamError } from "#protocols/codec.ts";

/** Classifies an error answer: the body holds a message only, the kind stands in a header. */
export function parseError({ status, headers, text }: UpstreamError): Failure {
  const body = parseObject(text);
  const message = asString(body?.["message"]) ?? asString(body?.["Message"]) ?? text;
  const retry = retryAfterMs(headers);
  const failure = failureOf({ status, kind: errorKind(headers), message });
  return retry === undefined ? failure : { ...failure, retryAfterMs: retry };
}

/** `ValidationException:http://internal.amazon.com/…`: the name ends at the colon. */
function errorKind(headers: UpstreamError["headers"]): string {
  const value = headers["x-amzn-errortype"];
  const text = typeof value === "string" ? value : (value?.[0] ?? "");
  return text.split(":")[0] ?? "";
}

/** What failed, by the exception's name in a header or in the stream. */
export interface BedrockError {
  readonly status: number;
  readonly kind: string;
  readonly message: string | undefined;
}

/** Names without their `Exception`, lower case: headers and streams differ in the first letter. */
const KINDS: Readonly<Record<string, FailureCode>> = {
  throttling: "upstream_rate_limited",
  toomanyrequests: "upstream_rate_limited",
  servicequotaexceeded: "upstream_rate_limited",
  modelnotready: "upstream_overloaded",
  serviceunavailable: "upstream_overloaded",
  modeltimeout: "upstream_timeout",
  internalserver: "upstream_error",
  modelstreamerror: "upstream_error",
  modelerror: "upstream_error",
  accessdenied: "upstream_auth",
  unrecognizedclient: "upstream_auth",
  expiredtoken: "upstream_auth",
  invalidsignature: "upstream_auth",
  incompletesignature: "upstream_auth",
  missingauthenticationtoken: "upstream_auth",
  resourcenotfound: "upstream_model_missing",
};

/** Refusals of the model itself, which Bedrock calls a validation error like any other. */
const MODEL_REFUSED =
  /model identifier is invalid|model id .* (?:isn.t supported|on-demand)|on-demand throughput|end of its life|not (?:supported|available) in (?:this|your) region|don't have access to the model/i;

export function failureOf({ status, kind, message }: BedrockError): Failure {
  return {
    code: classify({ status, kind, message }),
    message: callerMessage(message, "Bedrock's answer failed without a reason."),
    upstreamStatus: status,
    ...(kind !== "" && { upstreamCode: kind }),
  };
}

function classify({ status, kind, message = "" }: BedrockError): FailureCode {
  if (MODEL_REFUSED.test(message)) return "upstream_model_missing";
  const name = kind.replace(/Exception$/, "").toLowerCase();
  const known = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (known !== undefined) return known;
  // A validation error in a stream has no status of its own.
  const effective = status === 200 && name === "validation" ? 400 : status;
  return classifyFailure({ status: effective, code: kind, message });
}
