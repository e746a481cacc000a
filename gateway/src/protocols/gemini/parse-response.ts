import { tokenCount } from "#canonical/token-count.ts";
import { joinPieces } from "#canonical/join-pieces.ts";
import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import type { Part } from "#canonical/message.ts";
import { asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { answerIds } from "./call-ids.ts";
import { parseCitations } from "./citations.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { parseLogprobs } from "./logprobs.ts";
import { failureOf } from "./parse-error.ts";
import { parsePart } from "./parse-part.ts";
import type { CallIds } from "./parse-part.ts";
import { parseUsage } from "./parse-usage.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

/** Reads a whole answer; a failure value when it is an error, was blocked, or holds no candidate. */
export function parseResponse(wire: JsonObject): ChatResponse | Failure {
  const body = camelKeys(wire);
  if (isObject(body["error"])) return failureOf({ status: 200, headers: {}, body });
  const candidates = asObjects(body["candidates"]);
  if (candidates.length === 0) return blockedFailure(body) ?? NO_CANDIDATES;
  const id = asString(body["responseId"]) ?? "";
  const ids = answerIds(() => id);
  const usage = parseUsage(camelObject(body["usageMetadata"]));
  const created = createdOf(body);
  return {
    id,
    model: asString(body["modelVersion"]) ?? "",
    candidates: candidates.map((candidate) => parseCandidate(candidate, ids)),
    ...(created !== undefined && { created }),
    ...(usage !== undefined && { usage }),
  };
}

const NO_CANDIDATES: Failure = {
  code: "upstream_malformed",
  message: "The provider's answer has no candidates.",
};

/** The failure of a prompt that was refused; `undefined` when it was not. */
export function blockedFailure(body: JsonObject): Failure | undefined {
  const feedback = camelObject(body["promptFeedback"]);
  const reason = feedback["blockReason"];
  if (typeof reason !== "string" && typeof reason !== "number") return undefined;
  const said = asString(feedback["blockReasonMessage"]);
  return {
    code: "content_policy",
    message: `The provider refused the prompt: ${said ?? reason}`,
    upstreamStatus: 200,
    upstreamCode: String(reason),
  };
}

/** Unix seconds of `createTime`. */
export function createdOf(body: JsonObject): number | undefined {
  const time = Date.parse(asString(body["createTime"]) ?? "");
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

function parseCandidate(wire: JsonObject, ids: CallIds): Candidate {
  const candidate = camelKeys(wire);
  const content = camelObject(candidate["content"]);
  const parts = asObjects(content["parts"]).flatMap((part) => parsePart(part, ids));
  const logprobs = parseLogprobs(candidate["logprobsResult"]);
  const hasCalls = parts.some(({ type }) => type === "tool-call");
  return {
    parts: withCitations(joinPieces(parts), candidate),
    finishReason: parseFinishReason(candidate["finishReason"], hasCalls) ?? "other",
    ...(logprobs.length > 0 && { logprobs }),
  };
}

function withCitations(parts: Part[], candidate: JsonObject): Part[] {
  const citations = parseCitations(candidate);
  const at = parts.findLastIndex((part) => part.type === "text" && part.text !== "");
  const text = parts[at];
  if (citations.length === 0 || text?.type !== "text") return parts;
  return parts.toSpliced(at, 1, { ...text, citations });
}

/** The answer of a token count; `undefined` when it holds none. */
export const parseTokenCount = (body: JsonObject): number | undefined =>
  tokenCount(camelKeys(body)["totalTokens"]);
