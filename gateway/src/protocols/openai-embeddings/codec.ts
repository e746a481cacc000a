import { encodeVector, decodeVector } from "#canonical/embedding.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "#canonical/embedding.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { openaiErrorBody } from "#canonical/openai-error.ts";
import { embeddedFailure, parseJsonError } from "#canonical/parse-json-error.ts";
import { tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";
import { asArray, asNumber, asObject, asObjects, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  OperationClientCodec,
  OperationContext,
  OperationTarget,
  OperationUpstreamCodec,
} from "#protocols/operation-codec.ts";

const READ: ReadonlySet<string> = new Set([
  "model",
  "input",
  "dimensions",
  "encoding_format",
  "input_type",
  "user",
]);

function parseRequest(body: JsonObject): EmbeddingRequest {
  const reader = new FieldReader(body);
  const extra = Object.entries(body).filter(([key, value]) => !READ.has(key) && value !== null);
  const optional = {
    dimensions: reader.integer("dimensions", 1),
    encodingFormat: parseEncoding(reader.string("encoding_format")),
    inputType: reader.string("input_type"),
    user: reader.string("user"),
    extra: extra.length === 0 ? undefined : Object.fromEntries(extra),
  };
  return {
    model: reader.requiredString("model"),
    input: parseInput(body["input"]),
    ...compact(optional),
  };
}

function parseEncoding(format: string | undefined): "float" | "base64" | undefined {
  if (format === undefined || format === "float" || format === "base64") return format;
  throw invalidRequest("encoding_format", 'encoding_format must be "float" or "base64"');
}

/** A text, texts, one array of tokens, or arrays of tokens. */
function parseInput(input: unknown): EmbeddingRequest["input"] {
  if (typeof input === "string") return [input];
  const list = asArray(input);
  if (list.length === 0) {
    throw invalidRequest("input", "input must be a text, or an array with at least one");
  }
  if (list.every((value) => typeof value === "string")) return list;
  if (isTokens(list)) return [list];
  if (list.every(isTokens)) return list;
  throw invalidRequest("input", "input must be texts only, or token numbers only");
}

const isTokens = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((token) => typeof token === "number");

/** The vectors in the encoding that the client asked for, whatever the provider sent. */
function renderResponse(
  response: EmbeddingResponse,
  { request, model, costUsd }: OperationContext<EmbeddingRequest>,
): JsonObject {
  const encode = request.encodingFormat === "base64" ? encodeVector : decodeVector;
  const data = response.vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: encode(vector),
  }));
  const usage = response.usage ?? { inputTokens: 0, outputTokens: 0 };
  const { inputTokens } = usage;
  const tokens = { prompt_tokens: inputTokens, total_tokens: inputTokens };
  return {
    object: "list",
    data,
    model,
    usage: compact({ ...tokens, cost: costUsd(usage) ?? undefined }),
  };
}

/** OpenAI's embeddings as clients speak them. */
export const openaiEmbeddingsClient: OperationClientCodec<EmbeddingRequest, EmbeddingResponse> = {
  parseRequest,
  renderResponse,
  renderError: openaiErrorBody,
};

function renderRequest(request: EmbeddingRequest, target: OperationTarget): JsonObject {
  const { input, dimensions, encodingFormat, inputType, user, extra } = request;
  return compact({
    ...extra,
    model: target.upstreamModel,
    input,
    dimensions,
    encoding_format: encodingFormat,
    input_type: inputType,
    user,
  });
}

function parseResponse(body: JsonObject): EmbeddingResponse | Failure {
  const failure = embeddedFailure(body);
  if (failure !== undefined) return failure;
  const data = asObjects(body["data"]);
  const vectors = data
    .toSorted((a, b) => (asNumber(a["index"]) ?? 0) - (asNumber(b["index"]) ?? 0))
    .flatMap(({ embedding }) => parseVector(embedding));
  if (vectors.length === 0 || vectors.length !== data.length) {
    return { code: "upstream_malformed", message: "the provider's answer has no vectors" };
  }
  const usage = parseUsage(asObject(body["usage"]));
  return {
    vectors,
    model: asString(body["model"]) ?? "",
    ...(usage !== undefined && { usage }),
  };
}

function parseVector(value: unknown): (readonly number[] | string)[] {
  if (typeof value === "string" && value !== "") return [value];
  const numbers = asArray(value).filter((number) => typeof number === "number");
  return numbers.length === 0 ? [] : [numbers];
}

/** Voyage only has a total; Perplexity's cost is an object. */
function parseUsage(usage: JsonObject): Usage | undefined {
  const inputTokens = tokenCount(usage["prompt_tokens"] ?? usage["total_tokens"]);
  if (inputTokens === undefined) return undefined;
  const cost = asNumber(usage["cost"]) ?? asNumber(asObject(usage["cost"])["total_cost"]);
  return {
    inputTokens,
    outputTokens: 0,
    ...(cost !== undefined && cost >= 0 && { reportedCostUsd: cost }),
  };
}

/** Embeddings as OpenAI and most others serve them (Azure, Mistral, Voyage, OpenRouter, Together…). */
export const openaiEmbeddingsUpstream: OperationUpstreamCodec<EmbeddingRequest, EmbeddingResponse> =
  { renderRequest, parseResponse, parseError: parseJsonError };
