import { FieldReader } from "#canonical/field-reader.ts";
import type {
  ChatRequest,
  OutputFormat,
  ReasoningEffort,
  ReasoningOptions,
  Sampling,
} from "#canonical/chat-request.ts";
import { compact, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { jsonSchemaOf } from "./schema.ts";
import { camelKeys } from "./wire-case.ts";

const KNOWN = new Set([
  "temperature",
  "topP",
  "topK",
  "maxOutputTokens",
  "candidateCount",
  "stopSequences",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "thinkingConfig",
  "responseLogprobs",
  "logprobs",
  "responseModalities",
]);

interface ParsedConfig {
  readonly members: Partial<ChatRequest>;
  /** What the vocabulary has no word for, under `generationConfig`. */
  readonly extra: JsonObject;
}

export function parseGenerationConfig(wire: JsonObject): ParsedConfig {
  const config = camelKeys(wire);
  const reader = new FieldReader(config, "generationConfig");
  const sampling = parseSampling(reader);
  const reasoning = parseThinking(reader.objectAt("thinkingConfig"));
  const members: Partial<ChatRequest> = compact({
    sampling: Object.keys(sampling).length > 0 ? sampling : undefined,
    maxOutputTokens: reader.count("maxOutputTokens"),
    candidateCount: reader.integer("candidateCount", 1),
    stopSequences: reader.strings("stopSequences"),
    outputFormat: parseFormat(reader),
    reasoning: Object.keys(reasoning).length > 0 ? reasoning : undefined,
    logprobs: parseLogprobs(reader),
    outputModalities: reader.strings("responseModalities")?.map((name) => name.toLowerCase()),
  });
  const rest = unknownMembers(config);
  return { members, extra: Object.keys(rest).length > 0 ? { generationConfig: rest } : {} };
}

function unknownMembers(config: JsonObject): JsonObject {
  const rest: JsonObject = {};
  for (const key in config) if (!KNOWN.has(key) && config[key] !== null) rest[key] = config[key];
  // `text/x.enum` is a format of Google's own.
  const mimeType = config["responseMimeType"];
  if (typeof mimeType === "string" && !MIME_TYPES.has(mimeType)) {
    rest["responseMimeType"] = mimeType;
    if (config["responseSchema"] !== undefined) rest["responseSchema"] = config["responseSchema"];
  }
  return rest;
}

const MIME_TYPES = new Set(["application/json", "text/plain", ""]);

const parseSampling = (reader: FieldReader): Sampling =>
  compact({
    temperature: reader.number("temperature"),
    topP: reader.number("topP"),
    topK: reader.integer("topK"),
    seed: reader.seed("seed"),
    presencePenalty: reader.number("presencePenalty"),
    frequencyPenalty: reader.number("frequencyPenalty"),
  });

function parseFormat(reader: FieldReader): OutputFormat | undefined {
  const mimeType = reader.string("responseMimeType");
  if (mimeType === "text/plain") return { type: "text" };
  if (mimeType !== "application/json") return undefined;
  const schema = reader.objectAt("responseJsonSchema") ?? reader.objectAt("_responseJsonSchema");
  if (schema !== undefined) return { type: "json-schema", schema };
  const own = reader.objectAt("responseSchema");
  if (own !== undefined) return { type: "json-schema", schema: jsonSchemaOf(own) };
  return { type: "json-object" };
}

function parseLogprobs(reader: FieldReader): ChatRequest["logprobs"] | undefined {
  if (reader.boolean("responseLogprobs") !== true) return undefined;
  const top = reader.count("logprobs");
  return top === undefined ? {} : { top };
}

const LEVELS: Readonly<Record<string, ReasoningEffort>> = {
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
};

function parseThinking(wire: JsonObject | undefined): ReasoningOptions {
  if (wire === undefined) return {};
  const reader = new FieldReader(camelKeys(wire), "generationConfig.thinkingConfig");
  const effort = ownValue(LEVELS, reader.string("thinkingLevel")?.toLowerCase() ?? "");
  const shown = reader.boolean("includeThoughts");
  return {
    ...parseBudget(reader.integer("thinkingBudget", -1)),
    ...(effort !== undefined && { effort }),
    ...(shown !== undefined && { summary: shown ? "auto" : "none" }),
  };
}

/** 0: do not think; -1: as much as the task needs. */
function parseBudget(budget: number | undefined): ReasoningOptions {
  if (budget === undefined) return {};
  if (budget === 0) return { enabled: false };
  return budget < 0 ? { enabled: true } : { enabled: true, budgetTokens: budget };
}
