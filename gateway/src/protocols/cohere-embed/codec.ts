import type { EmbeddingRequest, EmbeddingResponse } from "#canonical/embedding.ts";
import type { Failure } from "#canonical/failure.ts";
import { parseJsonError } from "#canonical/parse-json-error.ts";
import { tokenCount } from "#canonical/token-count.ts";
import { asArray, asObject, asString, compact, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { OperationTarget, OperationUpstreamCodec } from "#protocols/operation-codec.ts";

/** The words of OpenAI-like clients (Voyage's) in Cohere's. */
const INPUT_TYPES: Readonly<Record<string, string>> = {
  query: "search_query",
  document: "search_document",
};

/** Members that mean the same to Cohere. */
const OWN: ReadonlySet<string> = new Set(["truncate", "max_tokens", "priority"]);

function renderRequest(request: EmbeddingRequest, target: OperationTarget): JsonObject {
  const { input, dimensions, inputType = "document", user, extra = {} } = request;
  if (user !== undefined) target.reportLoss("user", "Cohere takes no end user");
  const texts = input.filter((text) => typeof text === "string");
  if (texts.length < input.length) {
    target.reportLoss("input", "Cohere takes texts, not token numbers");
  }
  const passed = Object.entries(extra).filter(([key]) => {
    if (!OWN.has(key)) target.reportLoss(key, "Cohere's embed has no such member");
    return OWN.has(key);
  });
  return compact({
    ...Object.fromEntries(passed),
    model: target.upstreamModel,
    // Required by Cohere: documents, unless the client says otherwise.
    input_type: ownValue(INPUT_TYPES, inputType) ?? inputType,
    embedding_types: ["float"],
    texts,
    output_dimension: dimensions,
  });
}

function parseResponse(body: JsonObject): EmbeddingResponse | Failure {
  const vectors = asArray(asObject(body["embeddings"])["float"]).map((vector) =>
    asArray(vector).filter((number) => typeof number === "number"),
  );
  if (vectors.length === 0) {
    return { code: "upstream_malformed", message: "the provider's answer has no vectors" };
  }
  const billed = asObject(asObject(body["meta"])["billed_units"]);
  const inputTokens = tokenCount(billed["input_tokens"]);
  return {
    vectors,
    model: asString(body["model"]) ?? "",
    ...(inputTokens !== undefined && { usage: { inputTokens, outputTokens: 0 } }),
  };
}

/** Cohere's `/v2/embed`. */
export const cohereEmbedUpstream: OperationUpstreamCodec<EmbeddingRequest, EmbeddingResponse> = {
  renderRequest,
  parseResponse,
  parseError: parseJsonError,
};
