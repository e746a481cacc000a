import { invalidRequest } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import type {
  ModerationRequest,
  ModerationResponse,
  ModerationResult,
} from "#canonical/moderation.ts";
import { openaiErrorBody } from "#canonical/openai-error.ts";
import { embeddedFailure, parseJsonError } from "#canonical/parse-json-error.ts";
import { tokenCount } from "#canonical/token-count.ts";
import { asArray, asObject, asObjects, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  OperationClientCodec,
  OperationContext,
  OperationTarget,
  OperationUpstreamCodec,
} from "#protocols/operation-codec.ts";

function parseRequest(body: JsonObject): ModerationRequest {
  const model = new FieldReader(body).string("model");
  const { model: _model, input, ...extra } = body;
  return {
    input: parseInput(input),
    ...(model !== undefined && { model }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** A text, texts, or content parts. */
function parseInput(input: unknown): ModerationRequest["input"] {
  if (typeof input === "string") return [input];
  const list = asArray(input);
  if (list.length > 0) {
    if (list.every((value) => typeof value === "string")) return list;
    if (list.every(isObject)) return list;
  }
  throw invalidRequest("input", "input must be a text, texts, or content parts");
}

function renderResponse(
  response: ModerationResponse,
  { model, requestId }: OperationContext<ModerationRequest>,
): JsonObject {
  return {
    id: `modr-${requestId}`,
    model,
    results: response.results.map(({ flagged, categories, scores, appliedInputTypes }) =>
      compact({
        flagged,
        categories,
        category_scores: scores,
        category_applied_input_types: appliedInputTypes,
      }),
    ),
  };
}

/** OpenAI's moderations as clients speak them. */
export const openaiModerationsClient: OperationClientCodec<ModerationRequest, ModerationResponse> =
  { parseRequest, renderResponse, renderError: openaiErrorBody };

function renderRequest({ input, extra }: ModerationRequest, target: OperationTarget): JsonObject {
  return { ...extra, model: target.upstreamModel, input };
}

function parseResponse(body: JsonObject): ModerationResponse | Failure {
  const failure = embeddedFailure(body);
  if (failure !== undefined) return failure;
  const results = asObjects(body["results"]);
  if (results.length === 0) {
    return { code: "upstream_malformed", message: "the provider's answer has no results" };
  }
  const id = asString(body["id"]);
  const inputTokens = tokenCount(asObject(body["usage"])["prompt_tokens"]);
  return {
    model: asString(body["model"]) ?? "",
    results: results.map(parseResult),
    ...(id !== undefined && { id }),
    ...(inputTokens !== undefined && { usage: { inputTokens, outputTokens: 0 } }),
  };
}

function parseResult(result: JsonObject): ModerationResult {
  const categories = membersOf(result["categories"], "boolean");
  const applied = result["category_applied_input_types"];
  return {
    // Mistral does not say it.
    flagged: result["flagged"] === true || Object.values(categories).includes(true),
    categories,
    scores: membersOf(result["category_scores"], "number"),
    ...(isObject(applied) && { appliedInputTypes: applied }),
  };
}

interface MemberTypes {
  readonly boolean: boolean;
  readonly number: number;
}

/** The members of this type. */
const membersOf = <Type extends keyof MemberTypes>(
  value: unknown,
  type: Type,
): Record<string, MemberTypes[Type]> =>
  Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, MemberTypes[Type]] => typeof entry[1] === type,
    ),
  );

/** Moderations as OpenAI and Mistral serve them. */
export const openaiModerationsUpstream: OperationUpstreamCodec<
  ModerationRequest,
  ModerationResponse
> = { renderRequest, parseResponse, parseError: parseJsonError };
