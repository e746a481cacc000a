import type { EmbeddingRequest, EmbeddingResponse } from "#canonical/embedding.ts";
import type { Failure } from "#canonical/failure.ts";
import { parseJsonError } from "#canonical/parse-json-error.ts";
import { tokenCount } from "#canonical/token-count.ts";
import { asArray, asObject, asObjects, compact, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { OperationTarget, OperationUpstreamCodec } from "#protocols/operation-codec.ts";

/** The words of OpenAI-like clients (Voyage's, Cohere's) in Google's. */
const TASK_TYPES: Readonly<Record<string, string>> = {
  query: "RETRIEVAL_QUERY",
  document: "RETRIEVAL_DOCUMENT",
  search_query: "RETRIEVAL_QUERY",
  search_document: "RETRIEVAL_DOCUMENT",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
};

function renderRequest(request: EmbeddingRequest, target: OperationTarget): JsonObject {
  const { input, dimensions, inputType, user, extra = {} } = request;
  const lost = user === undefined ? Object.keys(extra) : [...Object.keys(extra), "user"];
  for (const key of lost) target.reportLoss(key, "batchEmbedContents has no such member");
  const texts = input.filter((text) => typeof text === "string");
  if (texts.length < input.length) {
    target.reportLoss("input", "Gemini takes texts, not token numbers");
  }
  return {
    requests: texts.map((text) =>
      compact({
        model: `models/${target.upstreamModel}`,
        content: { parts: [{ text }] },
        taskType:
          inputType === undefined ? undefined : (ownValue(TASK_TYPES, inputType) ?? inputType),
        outputDimensionality: dimensions,
      }),
    ),
  };
}

function parseResponse(body: JsonObject): EmbeddingResponse | Failure {
  const vectors = asObjects(body["embeddings"]).map(({ values }) =>
    asArray(values).filter((number) => typeof number === "number"),
  );
  if (vectors.length === 0) {
    return { code: "upstream_malformed", message: "the provider's answer has no vectors" };
  }
  const inputTokens = tokenCount(asObject(body["usageMetadata"])["promptTokenCount"]);
  return {
    vectors,
    model: "",
    ...(inputTokens !== undefined && { usage: { inputTokens, outputTokens: 0 } }),
  };
}

/** Gemini's `models/M:batchEmbedContents`. */
export const geminiEmbedUpstream: OperationUpstreamCodec<EmbeddingRequest, EmbeddingResponse> = {
  renderRequest,
  parseResponse,
  parseError: parseJsonError,
};
