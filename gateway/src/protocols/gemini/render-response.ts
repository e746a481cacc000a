import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { renderGrounding } from "./citations.ts";
import { renderLogprobs } from "./logprobs.ts";
import { renderFinishReason } from "./finish-reason.ts";
import { renderAnswerPart } from "./render-answer-part.ts";
import { renderUsage } from "./render-usage.ts";

/** The whole answer that a client of this protocol gets. */
export function renderResponse(response: ChatResponse, context: AnswerContext): JsonObject {
  const { usage } = response;
  return compact({
    candidates: response.candidates.map((candidate, index) =>
      renderCandidate(candidate, index, context),
    ),
    usageMetadata: usage === undefined ? undefined : renderUsage(usage, context.costUsd(usage)),
    modelVersion: context.model,
    responseId: context.requestId,
  });
}

function renderCandidate(
  { parts, finishReason, logprobs }: Candidate,
  index: number,
  context: AnswerContext,
): JsonObject {
  const rendered = parts.flatMap<JsonObject>((part) => renderAnswerPart(part, context) ?? []);
  const citations = parts.flatMap((part) => (part.type === "text" ? (part.citations ?? []) : []));
  return compact({
    content: { parts: rendered, role: "model" },
    finishReason: renderFinishReason(finishReason),
    index,
    groundingMetadata: renderGrounding(citations),
    logprobsResult: renderLogprobs(logprobs ?? []),
  });
}
