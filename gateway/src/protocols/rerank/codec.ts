import { invalidRequest } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { openaiErrorBody } from "#canonical/openai-error.ts";
import { embeddedFailure, parseJsonError } from "#canonical/parse-json-error.ts";
import type {
  RerankRequest,
  RerankResponse,
  RerankResult,
  RerankStyle,
} from "#canonical/rerank.ts";
import { tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";
import { asNumber, asObject, asObjects, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  OperationClientCodec,
  OperationContext,
  OperationTarget,
  OperationUpstreamCodec,
} from "#protocols/operation-codec.ts";

const READ: ReadonlySet<string> = new Set([
  "model",
  "query",
  "documents",
  "top_n",
  "top_k",
  "return_documents",
]);

/** One route for all: `top_k` is Voyage's word, and gets Voyage's answer. */
function parseRequest(body: JsonObject): RerankRequest {
  const reader = new FieldReader(body);
  const topK = reader.count("top_k");
  const style: RerankStyle = topK === undefined ? "cohere" : "voyage";
  const extra = Object.entries(body).filter(([key, value]) => !READ.has(key) && value !== null);
  const optional = {
    topN: reader.count("top_n") ?? topK,
    returnDocuments: reader.boolean("return_documents"),
    extra: extra.length === 0 ? undefined : Object.fromEntries(extra),
  };
  return {
    model: reader.requiredString("model"),
    query: parseText(body["query"], "query"),
    documents: parseDocuments(reader),
    style,
    ...compact(optional),
  };
}

function parseDocuments(reader: FieldReader): readonly string[] {
  const documents = reader.array("documents") ?? [];
  if (documents.length === 0) {
    throw invalidRequest("documents", "documents must be an array with at least one text");
  }
  return documents.map((document, at) => parseText(document, `documents[${at}]`));
}

/** A text, or an object with one (Cohere's older form, Jina's). */
function parseText(value: unknown, field: string): string {
  const text = isObject(value) ? value["text"] : value;
  if (typeof text === "string") return text;
  throw invalidRequest(field, `${field} must be a text, or an object with a text`);
}

function renderResponse(
  response: RerankResponse,
  context: OperationContext<RerankRequest>,
): JsonObject {
  const { request, model, requestId, costUsd } = context;
  const results = response.results.map((result) => renderResult(result, request));
  const { usage = { inputTokens: 0, outputTokens: 0 } } = response;
  const { inputTokens, searchUnits } = usage;
  const counted = compact({ total_tokens: inputTokens, cost: costUsd(usage) ?? undefined });
  if (request.style === "voyage") return { object: "list", data: results, model, usage: counted };
  const units =
    searchUnits === undefined ? { input_tokens: inputTokens } : { search_units: searchUnits };
  const meta = { api_version: { version: "2" }, billed_units: units };
  return { id: `rerank-${requestId}`, model, results, usage: counted, meta };
}

/** Documents come back only when asked for; from the request, so that no provider is needed for it. */
function renderResult({ index, score }: RerankResult, request: RerankRequest): JsonObject {
  const { returnDocuments, documents, style } = request;
  const text = documents[index] ?? "";
  const document = style === "voyage" ? text : { text };
  return {
    index,
    relevance_score: score,
    ...(returnDocuments === true && { document }),
  };
}

/** Rerank as clients of Cohere, Jina and Voyage speak it. */
export const rerankClient: OperationClientCodec<RerankRequest, RerankResponse> = {
  parseRequest,
  renderResponse,
  renderError: openaiErrorBody,
};

/** The provider's words for the request's members, and where its results are. */
interface RerankWords {
  readonly topN: "top_n" | "top_k";
  readonly results: "results" | "data";
  /** Cohere's version 2 has no `return_documents`; it is never needed, see `renderResult`. */
  readonly own: ReadonlySet<string>;
}

const WORDS: Readonly<Record<"cohere" | "jina" | "voyage", RerankWords>> = {
  cohere: {
    topN: "top_n",
    results: "results",
    own: new Set(["max_tokens_per_doc", "priority"]),
  },
  jina: { topN: "top_n", results: "results", own: new Set(["truncation", "max_chunk_length"]) },
  voyage: { topN: "top_k", results: "data", own: new Set(["truncation"]) },
};

function renderRequest(
  words: RerankWords,
  { query, documents, topN, extra = {} }: RerankRequest,
  target: OperationTarget,
): JsonObject {
  const passed = Object.entries(extra).filter(([key]) => {
    if (!words.own.has(key)) target.reportLoss(key, "this provider's rerank has no such member");
    return words.own.has(key);
  });
  return compact({
    ...Object.fromEntries(passed),
    model: target.upstreamModel,
    query,
    documents,
    [words.topN]: topN,
  });
}

function parseResponse(words: RerankWords, body: JsonObject): RerankResponse | Failure {
  const failure = embeddedFailure(body);
  if (failure !== undefined) return failure;
  if (!Array.isArray(body[words.results])) {
    return { code: "upstream_malformed", message: "the provider's answer has no results" };
  }
  const id = asString(body["id"]);
  const usage = parseUsage(body);
  return {
    model: asString(body["model"]) ?? "",
    results: asObjects(body[words.results]).flatMap((result) => parseResult(result)),
    ...(id !== undefined && { id }),
    ...(usage !== undefined && { usage }),
  };
}

function parseResult(result: JsonObject): RerankResult[] {
  const index = asNumber(result["index"]);
  const score = asNumber(result["relevance_score"] ?? result["score"]);
  if (index === undefined || score === undefined) return [];
  const { document } = result;
  const text = asString(isObject(document) ? document["text"] : document);
  return [{ index, score, ...(text !== undefined && { document: text }) }];
}

/** Cohere counts search units in `meta`; the others tokens in `usage`. */
function parseUsage(body: JsonObject): Usage | undefined {
  const billed = asObject(asObject(body["meta"])["billed_units"]);
  const usage = asObject(body["usage"]);
  const searchUnits = tokenCount(billed["search_units"]);
  const tokens = tokenCount(
    usage["total_tokens"] ?? usage["prompt_tokens"] ?? billed["input_tokens"],
  );
  if (searchUnits === undefined && tokens === undefined) return undefined;
  const cost = asNumber(usage["cost"]);
  return {
    inputTokens: tokens ?? 0,
    outputTokens: 0,
    ...(searchUnits !== undefined && { searchUnits }),
    ...(cost !== undefined && cost >= 0 && { reportedCostUsd: cost }),
  };
}

/** Rerank as these providers serve it; `cohere` fits OpenRouter and Together too. */
export function rerankUpstream(
  provider: keyof typeof WORDS,
): OperationUpstreamCodec<RerankRequest, RerankResponse> {
  const words = WORDS[provider];
  return {
    renderRequest: (request, target) => renderRequest(words, request, target),
    parseResponse: (body) => parseResponse(words, body),
    parseError: parseJsonError,
  };
}
