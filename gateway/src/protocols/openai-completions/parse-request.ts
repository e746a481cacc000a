import type { ChatRequest } from "#canonical/chat-request.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { asBoolean, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RequestInput } from "#protocols/codec.ts";

const READ: ReadonlySet<string> = new Set(
  [
    ["model", "prompt", "stream", "stream_options", "max_tokens", "temperature", "top_p", "top_k"],
    ["min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "logit_bias"],
    ["n", "stop", "logprobs", "user"],
  ].flat(),
);

/**
 * Reads a legacy completion request as a conversation of one user turn. `suffix`, `echo` and
 * `best_of` travel in `extra`: no chat model can do them, so they are named as losses.
 */
export function parseRequest({ body }: RequestInput): ChatRequest {
  const reader = new FieldReader(body);
  const top = reader.count("logprobs");
  const optional = {
    includeUsage: asBoolean(reader.objectAt("stream_options")?.["include_usage"]),
    maxOutputTokens: reader.count("max_tokens"),
    sampling: parseSampling(reader),
    stopSequences: parseStop(reader),
    candidateCount: reader.integer("n", 1),
    logprobs: top === undefined ? undefined : { top },
    user: reader.string("user"),
    extra: parseExtra(body),
  };
  return {
    protocol: "openai-completions",
    model: reader.requiredString("model"),
    messages: [{ role: "user", content: [{ type: "text", text: parsePrompt(body["prompt"]) }] }],
    stream: reader.boolean("stream") ?? false,
    ...compact(optional),
  };
}

function parsePrompt(prompt: unknown): string {
  if (typeof prompt === "string") return prompt;
  if (!Array.isArray(prompt)) throw invalidRequest("prompt", "prompt must be a string");
  const [first, ...others] = prompt as readonly unknown[];
  if (typeof first === "number" || Array.isArray(first)) {
    throw invalidRequest(
      "prompt",
      "prompt must be text: arrays of token numbers are not supported",
    );
  }
  if (typeof first !== "string") {
    throw invalidRequest("prompt[0]", "prompt[0] must be a string");
  }
  if (others.length > 0) {
    throw invalidRequest(
      "prompt[1]",
      "only one prompt a request is supported: send the others apart",
    );
  }
  return first;
}

function parseStop(reader: FieldReader): readonly string[] | undefined {
  const stop = reader.object["stop"];
  return typeof stop === "string" ? [stop] : reader.strings("stop");
}

function parseSampling(reader: FieldReader): JsonObject | undefined {
  const sampling = compact({
    temperature: reader.number("temperature"),
    topP: reader.number("top_p"),
    topK: reader.integer("top_k"),
    minP: reader.number("min_p"),
    frequencyPenalty: reader.number("frequency_penalty"),
    presencePenalty: reader.number("presence_penalty"),
    repetitionPenalty: reader.number("repetition_penalty"),
    seed: reader.seed("seed"),
    logitBias: reader.objectAt("logit_bias"),
  });
  return Object.keys(sampling).length === 0 ? undefined : sampling;
}

function parseExtra(body: JsonObject): JsonObject | undefined {
  const entries = Object.entries(body).filter(([key, value]) => !READ.has(key) && value !== null);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
