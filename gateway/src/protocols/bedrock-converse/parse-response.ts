import { asObject, asObjects, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { parseBlock } from "./parse-block.ts";
import { failureOf } from "./parse-error.ts";
import { parseUsage } from "./parse-usage.ts";

/** Reads a Converse answer. It names neither itself nor its model: both are empty. */
export function parseResponse(body: JsonObject): ChatResponse | Failure {
  const message = asObject(asObject(body["output"])["message"]);
  if (!Array.isArray(message["content"])) {
    return failureOf({ status: 200, kind: "", message: asString(body["message"]) });
  }
  const usage = parseUsage(body["usage"]);
  const serviceTier = asString(asObject(body["serviceTier"])["type"]);
  const parts = asObjects(message["content"]).flatMap((block) => parseBlock(block) ?? []);
  return {
    id: "",
    model: "",
    candidates: [{ parts, finishReason: parseFinishReason(body["stopReason"]) }],
    ...(usage !== undefined && { usage }),
    ...(serviceTier !== undefined && { serviceTier }),
  };
}
