import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";

import {
  completionHead,
  renderFinishReason,
  renderLogprobs,
  renderUsage,
} from "./render-choice.ts";

/** Writes a whole answer as `text_completion`. */
export function renderResponse(response: ChatResponse, context: AnswerContext): JsonObject {
  const { usage, candidates } = response;
  return compact({
    ...completionHead(context),
    choices: candidates.map((candidate, index) => renderChoice(candidate, index, context)),
    usage: usage === undefined ? undefined : renderUsage(usage, context),
  });
}

function renderChoice(candidate: Candidate, index: number, context: AnswerContext): JsonObject {
  const { parts, logprobs, finishReason } = candidate;
  const text = parts.map((part) => {
    if (part.type === "text" || part.type === "refusal") return part.text;
    context.reportLoss(`answer.${part.type}`, "a completion can only be text");
    return "";
  });
  return {
    text: text.join(""),
    index,
    logprobs: logprobs === undefined ? null : renderLogprobs(logprobs, 0),
    finish_reason: renderFinishReason(finishReason),
  };
}
