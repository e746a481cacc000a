import { asObjects, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Part, ToolCallPart } from "#canonical/message.ts";
import { parseOutputText } from "./parse-content.ts";
import { parseReasoning } from "./parse-reasoning.ts";

/** The parts of one item of an answer's `output`. */
export function parseItem(item: JsonObject): Part[] {
  switch (item["type"]) {
    case "message":
      return asObjects(item["content"]).map(parseBlock);
    case "reasoning": {
      const part = parseReasoning(item);
      return part === undefined ? [] : [part];
    }
    case "function_call":
    case "custom_tool_call":
      return isServerCall(item) ? [nativePart(item)] : [parseCall(item)];
    default:
      return [nativePart(item)];
  }
}

function parseBlock(block: JsonObject): Part {
  switch (block["type"]) {
    case "output_text":
      return parseOutputText(block, asString(block["text"]) ?? "");
    case "refusal":
      return { type: "refusal", text: asString(block["refusal"]) ?? "" };
    default:
      return nativePart(block);
  }
}

const nativePart = (value: JsonObject): Part => ({
  type: "native",
  protocol: "openai-responses",
  value,
});

/**
 * xAI reports the searches that it ran itself as custom tool calls, ids `xs_call_…` or `ws_call_…`;
 * a client that took them for its own would answer a call that no one asked of it.
 */
export const isServerCall = (item: JsonObject): boolean =>
  item["type"] === "custom_tool_call" && /^(?:xs|ws)_call_/.test(asString(item["call_id"]) ?? "");

/** A call without its input, which streams bring later. */
export function parseCallStart(item: JsonObject): Omit<ToolCallPart, "type" | "input"> {
  const namespace = asString(item["namespace"]);
  return {
    id: asString(item["call_id"]) ?? asString(item["id"]) ?? "",
    name: asString(item["name"]) ?? "",
    ...(namespace !== undefined && { namespace }),
    kind: item["type"] === "custom_tool_call" ? "custom" : "function",
  };
}

/** The whole input of a call item: JSON text, or free text of a custom tool. */
export const callInput = (item: JsonObject): string =>
  asString(item[item["type"] === "custom_tool_call" ? "input" : "arguments"]) ?? "";

const parseCall = (item: JsonObject): ToolCallPart => ({
  type: "tool-call",
  ...parseCallStart(item),
  input: callInput(item),
});
