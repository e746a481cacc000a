import { FieldReader } from "#canonical/field-reader.ts";
import { joinPieces } from "#canonical/join-pieces.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Message } from "#canonical/message.ts";
import { isObject, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RequestInput } from "#protocols/codec.ts";
import { conversationIds } from "./call-ids.ts";
import { parseGenerationConfig } from "./parse-generation-config.ts";
import { joinThoughts } from "./join-thoughts.ts";
import { parsePart } from "./parse-part.ts";
import type { CallIds } from "./parse-part.ts";
import { parseToolConfig, parseTools } from "./tools.ts";
import { camelKeys } from "./wire-case.ts";

const KNOWN = new Set([
  "model",
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "serviceTier",
]);

/** Reads `generateContent` and `streamGenerateContent`, in camel or snake case. */
export function parseRequest({ body, pathModel, pathVerb }: RequestInput): ChatRequest {
  const camel = camelKeys(body);
  const reader = new FieldReader(camel);
  const ids = conversationIds();
  const config = parseGenerationConfig(reader.objectAt("generationConfig") ?? {});
  const toolConfig = parseToolConfig(reader.objectAt("toolConfig"));
  const extra = { ...unknownMembers(camel), ...config.extra, ...toolConfig.extra };
  const tools = parseTools(reader);
  const tier = reader.string("serviceTier");
  return {
    protocol: "gemini",
    model: pathModel ?? reader.requiredString("model").replace(/^models\//, ""),
    messages: [
      ...parseSystem(camel["systemInstruction"]),
      ...joinThoughts(parseContents(camel["contents"], ids)),
    ],
    stream: pathVerb === "streamGenerateContent",
    ...(tools !== undefined && { tools }),
    ...toolConfig.members,
    ...config.members,
    ...(tier !== undefined && { serviceTier: tier === "standard" ? "default" : tier }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function unknownMembers(body: JsonObject): JsonObject {
  const extra: JsonObject = {};
  for (const key in body) if (!KNOWN.has(key) && body[key] !== null) extra[key] = body[key];
  return extra;
}

function parseSystem(instruction: unknown): Message[] {
  if (instruction === undefined || instruction === null) return [];
  const parts = isObject(instruction) ? instruction["parts"] : instruction;
  const content = parseParts(parts, "systemInstruction.parts", conversationIds());
  return content.length === 0 ? [] : [{ role: "system", content }];
}

function parseContents(contents: unknown, ids: CallIds): Message[] {
  // SDKs take one content or a text for a list; hand-written clients send them as they are.
  const list = isObject(contents) ? [contents] : contents;
  if (typeof list === "string") return [{ role: "user", content: [{ type: "text", text: list }] }];
  if (!Array.isArray(list) || list.length === 0) {
    throw invalidRequest("contents", "contents must be an array of at least one content");
  }
  return list.map((content: unknown, at) => parseContent(content, `contents[${at}]`, ids));
}

const ROLES: Readonly<Record<string, Message["role"]>> = {
  user: "user",
  model: "assistant",
  function: "user",
  tool: "user",
  system: "system",
};

function parseContent(content: unknown, field: string, ids: CallIds): Message {
  if (typeof content === "string")
    return { role: "user", content: [{ type: "text", text: content }] };
  if (!isObject(content)) throw invalidRequest(field, `${field} must be an object with parts`);
  const wireRole = new FieldReader(content, field).string("role") ?? "user";
  const role = ownValue(ROLES, wireRole === "" ? "user" : wireRole);
  if (role === undefined) {
    throw invalidRequest(`${field}.role`, `${field}.role must be user, model or function`);
  }
  const parts = parseParts(content["parts"], `${field}.parts`, ids);
  return { role, content: role === "assistant" ? joinPieces(parts) : parts };
}

function parseParts(parts: unknown, field: string, ids: CallIds): Message["content"] {
  if (parts === undefined || parts === null) return [];
  if (typeof parts === "string") return [{ type: "text", text: parts }];
  const list = isObject(parts) ? [parts] : parts;
  if (!Array.isArray(list)) throw invalidRequest(field, `${field} must be an array of parts`);
  return list.flatMap((part: unknown, at) => {
    const path = `${field}[${at}]`;
    if (typeof part === "string") return [{ type: "text" as const, text: part }];
    if (!isObject(part)) throw invalidRequest(path, `${path} must be an object`);
    checkText(part, path);
    return parsePart(part, ids);
  });
}

function checkText(part: JsonObject, path: string): void {
  const text = part["text"] ?? "";
  if (typeof text === "string") return;
  throw invalidRequest(`${path}.text`, `${path}.text must be a string`);
}
