import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { tokenCount } from "#canonical/token-count.ts";
import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import { GatewayError } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import type { Part } from "#canonical/message.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { failureOf } from "./parse-error.ts";
import { parseContent } from "./parse-part.ts";
import { parseUsage } from "./parse-usage.ts";

/** Reads a whole answer; a failure value when the body is an error or no message. */
export function parseResponse(body: JsonObject): ChatResponse | Failure {
  if (body["type"] === "error" || isObject(body["error"])) {
    return failureOf({ status: 200, headers: {}, body });
  }
  if (!Array.isArray(body["content"])) {
    return { code: "upstream_malformed", message: "The provider's answer has no content." };
  }
  const usage = parseUsage(asObject(body["usage"]));
  const serviceTier = asString(asObject(body["usage"])["service_tier"]);
  return {
    id: asString(body["id"]) ?? "",
    model: asString(body["model"]) ?? "",
    candidates: [parseCandidate(body)],
    ...(usage !== undefined && { usage }),
    ...(serviceTier !== undefined && { serviceTier }),
  };
}

function parseCandidate(body: JsonObject): Candidate {
  const parts = asObjects(body["content"]).flatMap(parseAnswerBlock);
  const reason = asString(body["stop_reason"]);
  const stopSequence = asString(body["stop_sequence"]);
  return {
    parts,
    finishReason: reason === undefined ? "other" : parseFinishReason(reason),
    ...(stopSequence !== undefined && { stopSequence }),
  };
}

/** A block of an answer; one that is not as its type says stays as it came. */
function parseAnswerBlock(block: JsonObject): Part[] {
  try {
    return parseContent([block], "content");
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [{ type: "native", protocol: "anthropic-messages", value: block }];
  }
}

/** The answer of a token count; `undefined` when it holds none. */
export const parseTokenCount = (body: JsonObject): number | undefined =>
  tokenCount(body["input_tokens"]);
