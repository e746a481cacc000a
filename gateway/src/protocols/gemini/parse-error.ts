import { classifyFailure } from "#canonical/classify-failure.ts";
import type { Failure } from "#canonical/failure.ts";
import {
  asArray,
  asNumber,
  asObject,
  asObjects,
  asString,
  isObject,
  parseObject,
} from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { callerMessage } from "#lib/mask-secrets.ts";
import { retryAfterMs } from "#lib/retry-after.ts";
import type { UpstreamError } from "#protocols/codec.ts";

/** Classifies an error answer: an object, an array around it (streams), or a server-sent event. */
export function parseError({ status, headers, text }: UpstreamError): Failure {
  const body = errorBody(text.replace(/^\s*data:\s*/, ""));
  return failureOf({ status, headers, body: body ?? { message: text } });
}

function errorBody(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith("[")) return parseObject(text.trim());
  try {
    return asObject(asArray(JSON.parse(text))[0]);
  } catch {
    return undefined;
  }
}

interface ErrorAnswer {
  readonly status: number;
  readonly headers: UpstreamError["headers"];
  readonly body: JsonObject;
}

/** The failure in an error body; inside a 200 the body's own code counts. */
export function failureOf({ status, headers, body }: ErrorAnswer): Failure {
  const error = isObject(body["error"]) ? body["error"] : body;
  const known = status >= 400 ? status : (asNumber(error["code"]) ?? 500);
  const details = asObjects(error["details"]);
  const reasons = details.flatMap((detail) => asString(detail["reason"]) ?? []);
  const code = [asString(error["status"]) ?? "", ...reasons]
    .filter((text) => text !== "")
    .join(" ");
  const message = asString(error["message"]) ?? asString(body["error"]);
  const retryAfter = retryAfterMs(headers) ?? retryDelayMs(details);
  return {
    code: classifyFailure({ status: known, code, message: message ?? "" }),
    message: callerMessage(message, `The provider answered ${known} without a message.`),
    upstreamStatus: status,
    ...(code !== "" && { upstreamCode: code.slice(0, 100) }),
    ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
  };
}

/** `google.rpc.RetryInfo` says it in text: `"34.07s"`. */
function retryDelayMs(details: readonly JsonObject[]): number | undefined {
  const delay = details.map((detail) => asString(detail["retryDelay"])).find(Boolean);
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(delay ?? "")?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}
