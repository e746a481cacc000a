import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import { asBoolean, asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { CacheMarker, MediaSource, Part, ToolResultPart } from "#canonical/message.ts";
import { parseCitations } from "./citations.ts";

/** Reads a `content` member: a string or blocks. */
export function parseContent(content: unknown, field: string): Part[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    throw invalidRequest(field, `${field} must be a string or an array of content blocks`);
  }
  return content.flatMap((block: unknown, at) => {
    const path = `${field}[${at}]`;
    if (isObject(block)) return parsePart(new FieldReader(block, path));
    throw invalidRequest(path, `${path} must be an object with a type`);
  });
}

function parsePart(block: FieldReader): Part[] {
  switch (block.requiredString("type")) {
    case "text":
      return [parseText(block)];
    case "image":
      return [parseImage(block)];
    case "document":
      return parseDocument(block);
    case "thinking":
    case "redacted_thinking":
      return [parseThinking(block)];
    case "tool_use":
      return [parseToolUse(block)];
    case "tool_result":
      return [parseToolResult(block)];
    default:
      return [native(block.object)];
  }
}

const native = (value: JsonObject): Part => ({
  type: "native",
  protocol: "anthropic-messages",
  value,
});

/** `cache_control` of a block or tool as the member to spread. */
export function parseCache(object: JsonObject): { readonly cache?: CacheMarker } {
  const control = object["cache_control"];
  if (!isObject(control)) return {};
  const ttl = control["ttl"];
  return { cache: ttl === "5m" || ttl === "1h" ? { ttl } : {} };
}

function parseText(block: FieldReader): Part {
  const citations = parseCitations(block.object["citations"]);
  return {
    type: "text",
    text: block.requiredString("text"),
    ...(citations.length > 0 && { citations }),
    ...parseCache(block.object),
  };
}

function parseImage(block: FieldReader): Part {
  const source = parseSource(block);
  if (source === undefined) return native(block.object);
  return { type: "image", source, ...parseCache(block.object) };
}

/** `undefined` for kinds of source that only this protocol has. */
function parseSource(block: FieldReader): MediaSource | undefined {
  const source = block.nested("source");
  if (source === undefined) {
    throw invalidRequest(block.field("source"), `${block.field("source")} is missing`);
  }
  switch (source.requiredString("type")) {
    case "base64": {
      const mediaType = source.requiredString("media_type");
      return { type: "base64", mediaType, data: source.requiredString("data") };
    }
    case "text": {
      const data = Buffer.from(source.requiredString("data")).toString("base64");
      return { type: "base64", mediaType: source.string("media_type") ?? "text/plain", data };
    }
    case "url":
      return { type: "url", url: source.requiredString("url") };
    case "file":
      return { type: "file-id", id: source.requiredString("file_id") };
    case "content":
      return parseContentSource(source.object["content"]);
    default:
      return undefined;
  }
}

/** A document of blocks is plain text when all of them are. */
function parseContentSource(content: unknown): MediaSource | undefined {
  const blocks = typeof content === "string" ? [{ text: content }] : asObjects(content);
  const texts = blocks.map((block) => asString(block["text"]));
  if (texts.length === 0 || texts.includes(undefined)) return undefined;
  const data = Buffer.from(texts.join("\n\n")).toString("base64");
  return { type: "base64", mediaType: "text/plain", data };
}

function parseDocument(block: FieldReader): Part[] {
  const source = parseSource(block);
  if (source === undefined) return [native(block.object)];
  const title = block.string("title");
  const context = block.string("context");
  const citations = asBoolean(asObject(block.object["citations"])["enabled"]);
  const file: Part = {
    type: "file",
    source,
    ...(title !== undefined && { filename: title }),
    ...(citations !== undefined && { citations }),
    ...parseCache(block.object),
  };
  // `context` tells the model about the document: as text before it, every protocol can say it.
  return context === undefined ? [file] : [{ type: "text", text: context }, file];
}

function parseThinking(block: FieldReader): Part {
  const redacted = block.object["type"] === "redacted_thinking";
  const text = redacted ? "" : (block.string("thinking") ?? "");
  const token = redacted ? block.requiredString("data") : block.string("signature");
  if (token === undefined || token === "") return { type: "reasoning", text };
  const signature = unwrapSignature(token, "anthropic");
  const isOwn = signature.value === token && signature.origin === "anthropic";
  return {
    type: "reasoning",
    text,
    signature: redacted && isOwn ? { ...signature, redacted: true } : signature,
  };
}

function parseToolUse(block: FieldReader): Part {
  const input = block.object["input"] ?? {};
  return {
    type: "tool-call",
    id: block.requiredString("id"),
    name: block.requiredString("name"),
    kind: "function",
    input: typeof input === "string" ? input : JSON.stringify(input),
    ...parseCache(block.object),
  };
}

function parseToolResult(block: FieldReader): ToolResultPart {
  const content = block.object["content"] ?? undefined;
  const isError = block.boolean("is_error");
  return {
    type: "tool-result",
    toolCallId: block.requiredString("tool_use_id"),
    kind: "function",
    content: content === undefined ? [] : parseContent(content, block.field("content")),
    ...(isError !== undefined && { isError }),
    ...parseCache(block.object),
  };
}
