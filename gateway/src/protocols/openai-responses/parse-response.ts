import { asNumber, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import { failureOf } from "./parse-error.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { parseItem } from "./parse-item.ts";
import { parseUsage } from "./parse-usage.ts";

/** Reads a whole response; a failure when it failed or is not a response at all. */
export function parseResponse(body: JsonObject): ChatResponse | Failure {
  if (isObject(body["error"]) || body["status"] === "failed") return failureOf(body, 200);
  if (!Array.isArray(body["output"])) {
    const { code } = failureOf(body, 200);
    const message = "The provider's answer is no response object.";
    // Some errors come flat and with status 200; anything else is another protocol's answer.
    return code === "upstream_error"
      ? { code: "upstream_malformed", message, upstreamStatus: 200 }
      : failureOf(body, 200);
  }
  const items = asObjects(body["output"]);
  const parts = items.flatMap(parseItem);
  const logprobs = items
    .flatMap((item) => asObjects(item["content"]))
    .flatMap((block) => asObjects(block["logprobs"]));
  const hasCalls = parts.some((part) => part.type === "tool-call");
  const created = asNumber(body["created_at"]);
  const usage = parseUsage(body["usage"], body["tool_usage"]);
  const serviceTier = asString(body["service_tier"]);
  return {
    id: asString(body["id"]) ?? "",
    model: asString(body["model"]) ?? "",
    ...(created !== undefined && { created }),
    candidates: [
      {
        parts,
        finishReason: parseFinishReason(body, hasCalls),
        ...(logprobs.length > 0 && { logprobs }),
      },
    ],
    ...(usage !== undefined && { usage }),
    ...(serviceTier !== undefined && { serviceTier }),
  };
}
