import { asArray, asNumber, asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import type { Part, TextPart } from "#canonical/message.ts";
import { failedFinish, parseFinishReason } from "./finish-reason.ts";
import { parseCitation, parseContentBlock, parseLogprobs } from "./parse-content.ts";
import { failureOf } from "./parse-error.ts";
import { parseUsage } from "./parse-usage.ts";

/** Reads a v2 chat answer. It does not name its model: that is empty. */
export function parseResponse(body: JsonObject): ChatResponse | Failure {
  const { message } = body;
  if (!isObject(message)) return failureOf(body, 200);
  const reason = asString(body["finish_reason"]);
  const code = failedFinish(reason);
  if (code !== undefined) {
    return { code, message: "The provider's answer failed.", upstreamStatus: 200 };
  }
  const usage = parseUsage(body["usage"]);
  const logprobs = parseLogprobs(body["logprobs"]);
  return {
    id: asString(body["id"]) ?? "",
    model: "",
    candidates: [
      {
        parts: parseMessage(message),
        finishReason: parseFinishReason(reason),
        ...(logprobs.length > 0 && { logprobs }),
      },
    ],
    ...(usage !== undefined && { usage }),
  };
}

/** What the model planned, thought, said and calls, in this order. */
function parseMessage(message: JsonObject): Part[] {
  const plan = asString(message["tool_plan"]) ?? "";
  const content = asArray(message["content"]).filter(isObject).map(parseContentBlock);
  return [
    ...(plan === "" ? [] : [{ type: "reasoning", text: plan } as const]),
    ...withCitations(content, asObjects(message["citations"])),
    ...asObjects(message["tool_calls"]).map(parseCall),
  ];
}

function parseCall(call: JsonObject): Part {
  const definition = asObject(call["function"]);
  return {
    type: "tool-call",
    id: asString(call["id"]) ?? "",
    name: asString(definition["name"]) ?? "",
    kind: "function",
    input: asString(definition["arguments"]) ?? "",
  };
}

/** Each citation names the block that it stands in; without that it belongs to the last text. */
function withCitations(content: readonly Part[], citations: readonly JsonObject[]): Part[] {
  const lastText = content.findLastIndex(({ type }) => type === "text");
  return content.map((part, at) => {
    if (part.type !== "text") return part;
    const own = citations.filter((value) => (asNumber(value["content_index"]) ?? lastText) === at);
    const cited: TextPart = { ...part, citations: own.map(parseCitation) };
    return own.length === 0 ? part : cited;
  });
}
