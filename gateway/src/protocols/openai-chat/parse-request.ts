import type { ChatRequest, OutputFormat, Sampling } from "#canonical/chat-request.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { asBoolean, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RequestInput } from "#protocols/codec.ts";

import { parseMessages } from "./parse-message.ts";
import { REASONING_FIELDS, parseReasoning } from "./reasoning-options.ts";
import { WEB_SEARCH_OPTIONS, parseToolChoice, parseTools } from "./tools.ts";

/** Wire names of the sampling members. */
export const SAMPLING_FIELDS = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  minP: "min_p",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  repetitionPenalty: "repetition_penalty",
  seed: "seed",
} as const satisfies Partial<Record<keyof Sampling, string>>;

/** Those of them that are whole numbers. Some servers take -1 as no `top_k`. */
const READS: Readonly<Partial<Record<string, "integer" | "seed">>> = {
  [SAMPLING_FIELDS.topK]: "integer",
  [SAMPLING_FIELDS.seed]: "seed",
};

/** Members that the vocabulary has words for; all others travel in `extra`. */
const READ: ReadonlySet<string> = new Set<string>(
  [
    ["model", "messages", "stream", "stream_options", "tools", "functions", "tool_choice"],
    ["function_call", "parallel_tool_calls", "response_format", WEB_SEARCH_OPTIONS],
    ["max_tokens", "max_completion_tokens", "stop", "n", "logprobs", "top_logprobs", "logit_bias"],
    ["verbosity", "service_tier", "prompt_cache_key", "prompt_cache_retention", "user"],
    ["safety_identifier", "metadata", "modalities"],
    REASONING_FIELDS,
    Object.values(SAMPLING_FIELDS),
  ].flat(),
);

/** Reads a chat completion request; unknown members go to `extra`. */
export function parseRequest({ body }: RequestInput): ChatRequest {
  const reader = new FieldReader(body);
  const optional = {
    ...parseLimits(reader),
    ...parseIdentity(reader),
    tools: parseTools(reader),
    toolChoice: parseToolChoice(body),
    parallelToolCalls: reader.boolean("parallel_tool_calls"),
    outputFormat: parseOutputFormat(reader),
    sampling: parseSampling(reader),
    reasoning: parseReasoning(reader),
    extra: parseExtra(body),
  };
  return {
    protocol: "openai-chat",
    model: reader.requiredString("model"),
    messages: parseMessages(body["messages"]),
    stream: reader.boolean("stream") ?? false,
    ...compact(optional),
  };
}

function parseLimits(reader: FieldReader): JsonObject {
  const streamOptions = reader.objectAt("stream_options");
  const logprobs = reader.boolean("logprobs");
  const top = reader.count("top_logprobs");
  const maxTokens = reader.count("max_tokens");
  return {
    includeUsage: asBoolean(streamOptions?.["include_usage"]),
    maxOutputTokens: reader.count("max_completion_tokens") ?? maxTokens,
    stopSequences: parseStop(reader),
    candidateCount: reader.integer("n", 1),
    logprobs: logprobs === true ? compact({ top }) : undefined,
    verbosity: reader.string("verbosity"),
    outputModalities: reader.strings("modalities"),
  };
}

function parseIdentity(reader: FieldReader): JsonObject {
  return {
    serviceTier: reader.string("service_tier"),
    promptCacheKey: reader.string("prompt_cache_key"),
    promptCacheRetention: reader.string("prompt_cache_retention"),
    user: reader.string("safety_identifier") ?? reader.string("user"),
    metadata: reader.objectAt("metadata"),
  };
}

function parseStop(reader: FieldReader): readonly string[] | undefined {
  const stop = reader.object["stop"];
  return typeof stop === "string" ? [stop] : reader.strings("stop");
}

function parseSampling(reader: FieldReader): Sampling | undefined {
  const sampling: JsonObject = {};
  for (const [name, key] of Object.entries(SAMPLING_FIELDS)) {
    sampling[name] = reader[READS[key] ?? "number"](key);
  }
  sampling["logitBias"] = reader.objectAt("logit_bias");
  const present = compact(sampling);
  return Object.keys(present).length === 0 ? undefined : present;
}

function parseOutputFormat(reader: FieldReader): OutputFormat | undefined {
  const format = reader.nested("response_format");
  if (format === undefined) return undefined;
  const type = format.requiredString("type");
  switch (type) {
    case "text":
      return { type };
    case "json_object":
      return { type: "json-object" };
    case "json_schema":
      return parseJsonSchema(format);
    default:
      throw invalidRequest(
        "response_format.type",
        `response_format.type "${type}" is unknown: use text, json_object or json_schema`,
      );
  }
}

function parseJsonSchema(format: FieldReader): OutputFormat {
  const path = "response_format.json_schema";
  const nested = format.nested("json_schema");
  const definition = nested?.object;
  // Together's older form has the schema itself beside `type`.
  const schema = (nested ?? format).objectAt("schema");
  if (schema === undefined) {
    throw invalidRequest(`${path}.schema`, `${path}.schema is missing: send a JSON Schema object`);
  }
  const name = asString(definition?.["name"]);
  const description = asString(definition?.["description"]);
  const strict = asBoolean(definition?.["strict"]);
  return {
    type: "json-schema",
    schema,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
  };
}

function parseExtra(body: JsonObject): JsonObject | undefined {
  const extra: JsonObject = {};
  for (const key in body) if (!READ.has(key) && body[key] !== null) extra[key] = body[key];
  return Object.keys(extra).length === 0 ? undefined : extra;
}
