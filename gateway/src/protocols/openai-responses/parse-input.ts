import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { withCarriedSignatures } from "#canonical/carried-signature.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { Message, Part, ToolCallPart } from "#canonical/message.ts";
import { parseContent } from "./parse-content.ts";
import { parseReasoning } from "./parse-reasoning.ts";

const ROLES: ReadonlySet<string> = new Set(["user", "assistant", "system", "developer"]);

/** What one input item is: a message's role and parts. */
interface Turn {
  readonly role: Message["role"];
  readonly content: readonly Part[];
  /** A message item of its own, not a call or a thought. */
  readonly isMessage?: true;
}

/**
 * Reads `input` to messages. Reasoning, text and calls that follow each other are one assistant
 * message, because that is what the other dialects have; two message items in a row stay two.
 */
export function parseInput(input: unknown): Message[] {
  if (typeof input === "string") {
    return [{ role: "user", content: [{ type: "text", text: input }] }];
  }
  if (!Array.isArray(input)) {
    throw invalidRequest("input", "`input` must be a string or an array of input items.");
  }
  const turns = input.map((item: unknown, at) => parseItem(item, `input[${at}]`));
  return grouped(turns).map((message) => {
    const content = withCarriedSignatures(message.content);
    return message.role === "assistant" ? { ...message, content } : message;
  });
}

function grouped(turns: readonly Turn[]): Message[] {
  const messages: { role: Message["role"]; content: Part[] }[] = [];
  let hasMessage = false;
  let previous: Message["role"] | undefined;
  for (const { role, content, isMessage } of turns) {
    const last = messages.at(-1);
    const joins: boolean = role === "assistant" && previous === role && !(isMessage && hasMessage);
    if (joins && last !== undefined) last.content.push(...content);
    else messages.push({ role, content: [...content] });
    hasMessage = isMessage === true || (joins && hasMessage);
    previous = role;
  }
  return messages;
}

function parseItem(value: unknown, field: string): Turn {
  if (!isObject(value)) {
    throw invalidRequest(field, `\`${field}\` must be an object: a message or another input item.`);
  }
  const item = new FieldReader(value, field);
  // Messages may come without a type; everything else has one.
  const type = item.string("type") ?? "message";
  switch (type) {
    case "message":
      return parseMessage(item);
    case "function_call":
    case "custom_tool_call":
      return { role: "assistant", content: [parseCall(item)] };
    case "function_call_output":
    case "custom_tool_call_output":
      return { role: "tool", content: [parseOutput(item)] };
    case "reasoning":
      return { role: "assistant", content: [parseReasoning(value) ?? native(value)] };
    default:
      return { role: isAnswer(type) ? "tool" : "assistant", content: [native(value)] };
  }
}

const native = (value: JsonObject): Part => ({
  type: "native",
  protocol: "openai-responses",
  value,
});

/** Items that the client gives back to a call of the model. */
const isAnswer = (type: string): boolean =>
  type.endsWith("_output") || type === "mcp_approval_response";

function parseMessage(item: FieldReader): Turn {
  const role = item.requiredString("role");
  if (!ROLES.has(role)) {
    const allowed = [...ROLES].join(", ");
    const field = item.field("role");
    throw invalidRequest(field, `\`${field}\` is "${role}"; it must be ${allowed}.`);
  }
  const content = parseContent(item.object["content"], item.field("content"));
  return { role: role as Message["role"], content, isMessage: true };
}

/** A `function_call` or `custom_tool_call` item of a request. */
function parseCall(item: FieldReader): ToolCallPart {
  const custom = item.object["type"] === "custom_tool_call";
  const namespace = item.string("namespace");
  return {
    type: "tool-call",
    id: item.requiredString("call_id"),
    name: item.requiredString("name"),
    ...(namespace !== undefined && { namespace }),
    kind: custom ? "custom" : "function",
    input: item.string(custom ? "input" : "arguments") ?? "",
  };
}

function parseOutput(item: FieldReader): Part {
  return {
    type: "tool-result",
    toolCallId: item.requiredString("call_id"),
    kind: item.object["type"] === "custom_tool_call_output" ? "custom" : "function",
    content: parseContent(item.object["output"] ?? "", item.field("output")),
  };
}
