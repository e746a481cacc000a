import { invalidRequest } from "#canonical/failure.ts";
import type { Message, Part, ToolCallPart } from "#canonical/message.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import { asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

import { argumentsText, plainReasoning, withPlainText, withSignature } from "./answer-parts.ts";
import { googleSignature, parseCache, parseContent } from "./parse-parts.ts";
import { parseReasoningDetails } from "./reasoning-details.ts";

const ROLES = "system, developer, user, assistant, tool, function";

export function parseMessages(value: unknown): Message[] {
  if (value === undefined || value === null) {
    throw invalidRequest("messages", "messages is missing: send an array of messages");
  }
  if (!Array.isArray(value)) throw invalidRequest("messages", "messages must be an array");
  if (value.length === 0) {
    throw invalidRequest("messages", "messages is empty: send at least one message");
  }
  const unanswered: string[] = [];
  return value.map((message: unknown, at) => {
    const field = `messages[${at}]`;
    if (!isObject(message)) throw invalidRequest(field, `${field} must be an object with a role`);
    return parseMessage(withCallId(message, unanswered), field);
  });
}

/** A tool's answer without an id is the answer to the oldest open call: some providers allow it. */
function withCallId(message: JsonObject, unanswered: string[]): JsonObject {
  for (const call of asObjects(message["tool_calls"])) {
    if (typeof call["id"] === "string") unanswered.push(call["id"]);
  }
  if (message["role"] !== "tool") return message;
  const id = message["tool_call_id"] ?? unanswered[0];
  const at = unanswered.findIndex((open) => open === id);
  if (at !== -1) unanswered.splice(at, 1);
  return { ...message, tool_call_id: id };
}

function parseMessage(message: JsonObject, field: string): Message {
  const role = new FieldReader(message, field).requiredString("role");
  const name = new FieldReader(message, field).string("name");
  const named = name === undefined ? {} : { name };
  switch (role) {
    case "system":
    case "developer":
    case "user":
      return { role, content: withMessageCache(message, field), ...named };
    case "assistant":
      return { role, content: parseAssistant(message, field), ...named };
    case "tool":
      return { role, content: [parseToolResult(message, field)] };
    case "function":
      return { role: "tool", content: [parseFunctionResult(message, field)] };
    default:
      throw invalidRequest(`${field}.role`, `${field}.role "${role}" is unknown: use ${ROLES}`);
  }
}

/** Some clients put `cache_control` on the message: it means its last part. */
function withMessageCache(message: JsonObject, field: string): Part[] {
  const parts = parseContent(message["content"], `${field}.content`);
  const { cache } = parseCache(message);
  const last = parts.at(-1);
  if (cache === undefined || last?.type !== "text") return parts;
  return [...parts.slice(0, -1), { ...last, cache }];
}

function parseToolResult(message: JsonObject, field: string): Part {
  const toolCallId = new FieldReader(message, field).requiredString("tool_call_id");
  const name = new FieldReader(message, field).string("name");
  return {
    type: "tool-result",
    toolCallId,
    kind: "function",
    content: parseContent(message["content"], `${field}.content`),
    ...(name !== undefined && { name }),
    ...parseCache(message),
  };
}

/** Before tools there were functions: a result names its function and has no id. */
function parseFunctionResult(message: JsonObject, field: string): Part {
  const name = new FieldReader(message, field).requiredString("name");
  const content = parseContent(message["content"], `${field}.content`);
  return { type: "tool-result", toolCallId: functionCallId(name), kind: "function", name, content };
}

const functionCallId = (name: string): string => `call_${name}`;

function parseAssistant(message: JsonObject, field: string): Part[] {
  const calls = parseToolCalls(message, field);
  const ids = new Set(calls.map((call) => call.id));
  const details = parseReasoningDetails(asObjects(message["reasoning_details"]), ids);
  const content = withTextSignature(withMessageCache(message, field), message);
  const refusal = new FieldReader(message, field).string("refusal");
  const audio = new FieldReader(message, field).objectAt("audio");
  return [
    ...withPlainText(details.parts, plainReasoning(message)),
    ...content,
    ...(refusal === undefined || refusal === ""
      ? []
      : [{ type: "refusal", text: refusal } as const]),
    ...(audio === undefined ? [] : [spokenAnswer(audio, `${field}.audio`)]),
    ...calls.map((call) => withSignature(call, details.toolSignatures.get(call.id))),
  ];
}

function withTextSignature(parts: Part[], message: JsonObject): Part[] {
  const token = googleSignature(message);
  const last = parts.at(-1);
  if (token === undefined || last?.type !== "text") return parts;
  return [...parts.slice(0, -1), { ...last, signature: unwrapSignature(token, "gemini") }];
}

const spokenAnswer = (audio: JsonObject, field: string): Part => ({
  type: "audio",
  source: { type: "file-id", id: new FieldReader(audio, field).requiredString("id") },
});

function parseToolCalls(message: JsonObject, field: string): ToolCallPart[] {
  const reader = new FieldReader(message, field);
  const calls = (reader.objects("tool_calls") ?? []).map(parseToolCall);
  const legacy = reader.nested("function_call");
  return legacy === undefined ? calls : [...calls, parseFunctionCall(legacy)];
}

function parseToolCall(call: FieldReader): ToolCallPart {
  const id = call.requiredString("id");
  const token = googleSignature(call.object);
  const signed = {
    ...(token !== undefined && { signature: unwrapSignature(token, "gemini") }),
    ...parseCache(call.object),
  };
  const custom = call.object["type"] === "custom" ? call.nested("custom") : undefined;
  if (custom !== undefined) {
    const name = custom.requiredString("name");
    const input = custom.string("input") ?? "";
    return { type: "tool-call", id, name, kind: "custom", input, ...signed };
  }
  const called = call.nested("function");
  if (called === undefined) {
    const field = call.field("function");
    throw invalidRequest(field, `${field} is missing: it must name the function called`);
  }
  const name = called.requiredString("name");
  const input = argumentsText(called.object["arguments"]);
  return { type: "tool-call", id, name, kind: "function", input, ...signed };
}

function parseFunctionCall(called: FieldReader): ToolCallPart {
  const name = called.requiredString("name");
  const input = argumentsText(called.object["arguments"]);
  return { type: "tool-call", id: functionCallId(name), name, kind: "function", input };
}
