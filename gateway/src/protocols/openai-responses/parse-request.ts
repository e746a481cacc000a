import { asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  ChatRequest,
  OutputFormat,
  ReasoningEffort,
  ReasoningOptions,
} from "#canonical/chat-request.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { Message } from "#canonical/message.ts";
import type { RequestInput } from "#protocols/codec.ts";
import { parseInput } from "./parse-input.ts";
import { parseToolChoice, parseTools } from "./parse-tools.ts";

/** Top-level members that are read here; all others go to `extra`. */
const KNOWN: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "stream",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "include",
  "max_output_tokens",
  "temperature",
  "top_p",
  "top_logprobs",
  "prompt_cache_key",
  "prompt_cache_retention",
  "service_tier",
  "metadata",
  "user",
  "safety_identifier",
  // Codex's own bookkeeping (installation and turn ids): no business of a provider.
  "client_metadata",
]);

const EFFORTS: ReadonlySet<string> = new Set([
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
]);

const ENCRYPTED = "reasoning.encrypted_content";
const LOGPROBS = "message.output_text.logprobs";

/** Reads a Responses request; throws `GatewayError` on a member of the wrong type. */
export function parseRequest(input: RequestInput): ChatRequest {
  const body = new FieldReader(input.body);
  const extra: JsonObject = {};
  for (const [key, value] of Object.entries(input.body)) {
    if (!KNOWN.has(key) && value !== null) extra[key] = value;
  }
  const model = body.string("model") ?? "";
  const request = {
    protocol: "openai-responses",
    model,
    messages: parseMessages(body),
    stream: body.boolean("stream") ?? false,
    ...toolMembers(body, extra),
    ...textMembers(body, extra),
    ...thinkingMembers(body, extra),
    ...plainMembers(body),
  } as const;
  return Object.keys(extra).length === 0 ? request : { ...request, extra };
}

function parseMessages(body: FieldReader): Message[] {
  const instructions = body.string("instructions");
  // The conversation may come from elsewhere: then this request may add nothing to it.
  const continues = ["previous_response_id", "conversation", "prompt"].some((name) =>
    hasValue(body.object[name]),
  );
  const { input } = body.object;
  const messages = input === undefined && continues ? [] : parseInput(input);
  if (messages.length === 0 && !continues) {
    throw invalidRequest("input", "`input` must hold at least one item.");
  }
  if (instructions === undefined) return messages;
  return [{ role: "system", content: [{ type: "text", text: instructions }] }, ...messages];
}

function toolMembers(body: FieldReader, extra: JsonObject): Partial<ChatRequest> {
  const tools = body.objects("tools");
  const parallelToolCalls = body.boolean("parallel_tool_calls");
  const { tool_choice } = body.object;
  const { choice, rest } = hasValue(tool_choice) ? parseToolChoice(tool_choice) : {};
  if (rest !== undefined) extra["tool_choice"] = rest;
  return {
    ...(tools !== undefined && { tools: parseTools(tools) }),
    ...(choice !== undefined && { toolChoice: choice }),
    ...(parallelToolCalls !== undefined && { parallelToolCalls }),
  };
}

const hasValue = (value: unknown): boolean => value !== undefined && value !== null;

function textMembers(body: FieldReader, extra: JsonObject): Partial<ChatRequest> {
  const text = body.nested("text");
  if (text === undefined) return {};
  const { format: _format, verbosity: _verbosity, ...rest } = text.object;
  if (Object.keys(rest).length > 0) extra["text"] = rest;
  const outputFormat = parseFormat(text.nested("format"));
  const level = text.string("verbosity");
  return {
    ...(outputFormat !== undefined && { outputFormat }),
    ...(level !== undefined && { verbosity: level }),
  };
}

function parseFormat(format: FieldReader | undefined): OutputFormat | undefined {
  if (format === undefined) return undefined;
  switch (format.requiredString("type")) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json-object" };
    case "json_schema":
      return parseSchemaFormat(format);
    default:
      throw invalidRequest(
        "text.format.type",
        '`text.format.type` must be "text", "json_object" or "json_schema".',
      );
  }
}

function parseSchemaFormat(format: FieldReader): OutputFormat {
  const schema = format.objectAt("schema");
  if (schema === undefined) {
    throw invalidRequest("text.format.schema", "`text.format.schema` is missing: a JSON Schema.");
  }
  const name = format.string("name");
  const description = format.string("description");
  const strict = format.boolean("strict");
  return {
    type: "json-schema",
    schema,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
  };
}

function thinkingMembers(body: FieldReader, extra: JsonObject): Partial<ChatRequest> {
  const include = body.array("include") ?? [];
  const encrypted = include.includes(ENCRYPTED);
  const others = include.filter((name) => name !== ENCRYPTED && name !== LOGPROBS);
  if (others.length > 0) extra["include"] = others;
  const reasoning = body.nested("reasoning");
  const shown = reasoning === undefined ? {} : parseReasoningOptions(reasoning, extra);
  const options = { ...shown, ...(encrypted && { encrypted }) };
  const top = body.count("top_logprobs");
  const logprobs = include.includes(LOGPROBS) || (top !== undefined && top > 0);
  return {
    ...(Object.keys(options).length > 0 && { reasoning: options }),
    ...(logprobs && { logprobs: top === undefined ? {} : { top } }),
  };
}

function parseReasoningOptions(reasoning: FieldReader, extra: JsonObject): ReasoningOptions {
  const { effort: _effort, summary, generate_summary, ...others } = reasoning.object;
  const rest = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null));
  const level = reasoning.string("effort");
  const shown = asString(summary) ?? asString(generate_summary);
  if (level !== undefined && !EFFORTS.has(level)) rest["effort"] = level;
  if (Object.keys(rest).length > 0) extra["reasoning"] = rest;
  return {
    ...(level !== undefined && EFFORTS.has(level) && { effort: level as ReasoningEffort }),
    ...(isSummary(shown) && { summary: shown }),
  };
}

const isSummary = (value: string | undefined): value is "auto" | "concise" | "detailed" | "none" =>
  value === "auto" || value === "concise" || value === "detailed" || value === "none";

function plainMembers(body: FieldReader): Partial<ChatRequest> {
  const maxOutputTokens = body.count("max_output_tokens");
  const temperature = body.number("temperature");
  const topP = body.number("top_p");
  const sampling = {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
  };
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...accountMembers(body),
  };
}

function accountMembers(body: FieldReader): Partial<ChatRequest> {
  const serviceTier = body.string("service_tier");
  const cacheKey = body.string("prompt_cache_key");
  const retention = body.string("prompt_cache_retention");
  // `user` is the older name of the same thing.
  const user = body.string("safety_identifier") ?? body.string("user");
  const { metadata } = body.object;
  return {
    ...(serviceTier !== undefined && { serviceTier }),
    ...(cacheKey !== undefined && { promptCacheKey: cacheKey }),
    ...(retention !== undefined && { promptCacheRetention: retention }),
    ...(user !== undefined && { user }),
    ...(isObject(metadata) && { metadata }),
  };
}
