import { asArray, asNumber, asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** An answer that is not 200, as OpenAI writes it. */
export class DemoError extends Error {
  readonly status: number;
  readonly body: JsonObject;
  constructor(status: number, error: { message: string; code: string; param?: string }) {
    super(error.message);
    this.name = "DemoError";
    this.status = status;
    const type = status < 500 ? "invalid_request_error" : "server_error";
    this.body = { error: { ...error, param: error.param ?? null, type } };
  }
}

export const invalidField = (param: string, message: string): DemoError =>
  new DemoError(400, { message: `Invalid '${param}': ${message}`, code: "invalid_value", param });

export interface DemoTool {
  readonly name: string;
  readonly parameters: JsonObject;
}

/** What the demo looks at in a chat request; everything else is ignored. */
export interface DemoChat {
  readonly model: string;
  readonly messages: readonly JsonObject[];
  readonly tools: readonly DemoTool[];
  /** A name, any tool, the model's choice, or no tool. */
  readonly toolChoice: { readonly name: string } | "required" | "auto" | "none";
  readonly responseFormat: JsonObject;
  readonly stop: readonly string[];
  readonly maxTokens: number;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const ROLES = new Set(["system", "developer", "user", "assistant", "tool", "function"]);
const MAX_CHOICES = 8;

/** Reads a chat request. @throws DemoError 400 naming the field */
export function readChat(body: JsonObject): DemoChat {
  const tools = readTools(body["tools"]);
  return {
    model: asString(body["model"]) ?? "",
    messages: readMessages(body["messages"]),
    tools,
    toolChoice: readToolChoice(body["tool_choice"], tools),
    responseFormat: asObject(body["response_format"]),
    stop: [body["stop"]]
      .flat()
      .filter((each) => typeof each === "string" && each !== "") as string[],
    maxTokens: readLimit(body),
    choices: readChoices(body["n"]),
    stream: body["stream"] === true,
    includeUsage: asObject(body["stream_options"])["include_usage"] === true,
  };
}

function readMessages(value: unknown): readonly JsonObject[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalidField("messages", "a list of at least one message is needed.");
  }
  return value.map((message: unknown, at) => {
    if (!isObject(message)) throw invalidField(`messages[${at}]`, "not an object.");
    if (ROLES.has(asString(message["role"]) ?? "")) return message;
    throw invalidField(`messages[${at}].role`, `one of ${[...ROLES].join(", ")} is needed.`);
  });
}

function readTools(value: unknown): readonly DemoTool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidField("tools", "not a list.");
  return asObjects(value).flatMap((tool, at) => {
    if (tool["type"] !== "function") return [];
    const { name, parameters } = asObject(tool["function"]);
    if (typeof name !== "string") throw invalidField(`tools[${at}].function.name`, "missing.");
    return [{ name, parameters: isObject(parameters) ? parameters : { type: "object" } }];
  });
}

function readToolChoice(value: unknown, tools: readonly DemoTool[]): DemoChat["toolChoice"] {
  if (value === "required" || value === "none") return value;
  const name = asString(asObject(asObject(value)["function"])["name"]);
  if (name === undefined) return "auto";
  if (tools.some((tool) => tool.name === name)) return { name };
  throw invalidField("tool_choice", `there is no tool '${name.slice(0, 60)}'.`);
}

function readLimit(body: JsonObject): number {
  const limit = body["max_completion_tokens"] ?? body["max_tokens"];
  if (limit === undefined || limit === null) return Infinity;
  const tokens = asNumber(limit);
  if (tokens !== undefined && tokens >= 1) return tokens;
  throw invalidField("max_tokens", "a number of at least 1 is needed.");
}

function readChoices(value: unknown): number {
  if (value === undefined || value === null) return 1;
  const count = asNumber(value) ?? 0;
  if (Number.isInteger(count) && count >= 1 && count <= MAX_CHOICES) return count;
  throw invalidField("n", `a whole number from 1 to ${MAX_CHOICES} is needed.`);
}

/** The text of a message, with a word on what else is in it. */
export function messageText(message: JsonObject | undefined): string {
  const content = message?.["content"];
  if (typeof content === "string") return content;
  const parts = asArray(content).filter(isObject);
  const texts = parts.map((part) => asString(part["text"])).filter((text) => text !== undefined);
  const others = parts.map((part) => asString(part["type"])).filter((type) => type !== "text");
  return [...texts, ...others.map((type) => `(${type ?? "something"})`)].join(" ");
}
