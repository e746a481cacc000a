import { invalidRequest } from "#canonical/failure.ts";
import type { Message, Part, ToolCallPart } from "#canonical/message.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import { OpenCalls } from "#canonical/open-calls.ts";
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
  const calls = new OpenCalls();
  const messages = value.map((message: unknown, at) => {
    const field = `messages[${at}]`;
    if (!isObject(message)) throw invalidRequest(field, `${field} must be an object with a role`);
    return parseMessage(new FieldReader(withCallId(message, calls), field));
  });
  return withResultKinds(messages);
}

/** Results do not say what kind of call they answer; other protocols want to know. */
function withResultKinds(messages: readonly Message[]): Message[] {
  const custom = new Set<string>();
  for (const part of messages.flatMap(({ content }) => content)) {
    if (part.type === "tool-call" && part.kind === "custom") custom.add(part.id);
  }
  return messages.map((message) => ({
    ...message,
    content: message.content.map((part) =>
      part.type === "tool-result" && custom.has(part.toolCallId)
        ? { ...part, kind: "custom" }
        : part,
    ),
  }));
}

/** A tool's answer without an id is the answer to the oldest open call: some providers allow it. */
function withCallId(message: JsonObject, calls: OpenCalls): JsonObject {
  for (const call of asObjects(message["tool_calls"])) {
    if (typeof call["id"] === "string") calls.add(call["id"]);
  }
  if (message["role"] !== "tool") return message;
  const id = message["tool_call_id"] ?? calls.oldest();
  if (typeof id === "string") calls.delete(id);
  return { ...message, tool_call_id: id };
}

function parseMessage(message: FieldReader): Message {
  const role = message.requiredString("role");
  const name = message.string("name");
  const named = name === undefined ? {} : { name };
  switch (role) {
    case "system":
    case "developer":
    case "user":
      return { role, content: withMessageCache(message), ...named };
    case "assistant":
      return { role, content: parseAssistant(message), ...named };
    case "tool":
      return { role, content: [parseToolResult(message)] };
    case "function":
      return { role: "tool", content: [parseFunctionResult(message)] };
    default:
      throw invalidRequest(message.field("role"), `role "${role}" is unknown: use ${ROLES}`);
  }
}

/** Some clients put `cache_control` on the message: it means its last part. */
function withMessageCache(message: FieldReader): Part[] {
  const parts = parseContent(message.object["content"], message.field("content"));
  const { cache } = parseCache(message.object);
  const last = parts.at(-1);
  if (cache === undefined || last?.type !== "text") return parts;
  return [...parts.slice(0, -1), { ...last, cache }];
}

function parseToolResult(message: FieldReader): Part {
  const toolCallId = message.requiredString("tool_call_id");
  const name = message.string("name");
  return {
    type: "tool-result",
    toolCallId,
    kind: "function",
    content: parseContent(message.object["content"], message.field("content")),
    ...(name !== undefined && { name }),
    ...parseCache(message.object),
  };
}

/** Before tools there were functions: a result names its function and has no id. */
function parseFunctionResult(message: FieldReader): Part {
  const name = message.requiredString("name");
  const content = parseContent(message.object["content"], message.field("content"));
  return { type: "tool-result", toolCallId: functionCallId(name), kind: "function", name, content };
}

const functionCallId = (name: string): string => `call_${name}`;

function parseAssistant(message: FieldReader): Part[] {
  const calls = parseToolCalls(message);
  const ids = new Set(calls.map((call) => call.id));
  const details = parseReasoningDetails(asObjects(message.object["reasoning_details"]), ids);
  const content = withTextSignature(withMessageCache(message), message.object);
  const refusal = message.string("refusal");
  const audio = message.nested("audio");
  return [
    ...withPlainText(details.parts, plainReasoning(message.object)),
    ...content,
    ...(refusal === undefined || refusal === ""
      ? []
      : [{ type: "refusal", text: refusal } as const]),
    ...(audio === undefined ? [] : [spokenAnswer(audio)]),
    ...calls.map((call) => withSignature(call, details.toolSignatures.get(call.id))),
  ];
}

function withTextSignature(parts: Part[], message: JsonObject): Part[] {
  const token = googleSignature(message);
  const last = parts.at(-1);
  if (token === undefined || last?.type !== "text") return parts;
  return [...parts.slice(0, -1), { ...last, signature: unwrapSignature(token, "gemini") }];
}

const spokenAnswer = (audio: FieldReader): Part => ({
  type: "audio",
  source: { type: "file-id", id: audio.requiredString("id") },
});

function parseToolCalls(message: FieldReader): ToolCallPart[] {
  const calls = (message.objects("tool_calls") ?? []).map(parseToolCall);
  const legacy = message.nested("function_call");
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
