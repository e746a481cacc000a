import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation, Part } from "#canonical/message.ts";
import { parseRedacted, parseSignature } from "./signature-origin.ts";

/** One content block of a whole answer; `undefined` for one that says nothing. */
export function parseBlock(block: JsonObject): Part | undefined {
  const text = asString(block["text"]);
  if (text !== undefined) return { type: "text", text };
  if (isObject(block["citationsContent"])) return parseCited(block["citationsContent"]);
  if (isObject(block["reasoningContent"])) return parseReasoning(block["reasoningContent"]);
  if (isObject(block["image"])) return parseImage(block["image"]) ?? nativePart(block);
  const call = asObject(block["toolUse"]);
  if (isObject(block["toolUse"]) && !isServerCall(call)) {
    return {
      type: "tool-call",
      id: asString(call["toolUseId"]) ?? "",
      name: asString(call["name"]) ?? "",
      kind: "function",
      input: JSON.stringify(call["input"] ?? {}),
    };
  }
  return nativePart(block);
}

export const nativePart = (value: JsonObject): Part => ({
  type: "native",
  protocol: "bedrock-converse",
  value,
});

/** Nova runs its system tools itself and reports them among the blocks. */
export const isServerCall = (toolUse: JsonObject): boolean => toolUse["type"] === "server_tool_use";

function parseCited(cited: JsonObject): Part {
  const text = asObjects(cited["content"])
    .map((part) => asString(part["text"]) ?? "")
    .join("");
  const citations = asObjects(cited["citations"]).map(parseCitation);
  return { type: "text", text, ...(citations.length > 0 && { citations }) };
}

export function parseCitation(citation: JsonObject): Citation {
  const web = asObject(asObject(citation["location"])["web"]);
  const url = asString(web["url"]);
  const title = asString(citation["title"]);
  const citedText = asObjects(citation["sourceContent"])
    .map((part) => asString(part["text"]) ?? "")
    .join("");
  return {
    ...(url !== undefined && { url }),
    ...(title !== undefined && { title }),
    ...(citedText !== "" && { citedText }),
    native: { protocol: "bedrock-converse", value: citation },
  };
}

function parseReasoning(content: JsonObject): Part | undefined {
  const redacted = asString(content["redactedContent"]);
  if (redacted !== undefined) {
    return { type: "reasoning", text: "", signature: parseRedacted(redacted) };
  }
  const inner = asObject(content["reasoningText"]);
  const text = asString(inner["text"]) ?? "";
  const token = asString(inner["signature"]);
  if (text === "" && token === undefined) return undefined;
  return {
    type: "reasoning",
    text,
    ...(token !== undefined && { signature: parseSignature(token) }),
  };
}

export function parseImage(image: JsonObject): Part | undefined {
  const data = asString(asObject(image["source"])["bytes"]);
  if (data === undefined) return undefined;
  const mediaType = `image/${asString(image["format"]) ?? "png"}`;
  return { type: "image", source: { type: "base64", mediaType, data } };
}
