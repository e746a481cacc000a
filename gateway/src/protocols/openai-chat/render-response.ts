import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import type { Part } from "#canonical/message.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";

import { renderFinishReason } from "./finish-reason.ts";
import { renderReasoningDetails } from "./reasoning-details.ts";
import {
  completionId,
  renderAnswerAudio,
  renderAnswerCall,
  renderAnswerImage,
  renderCitation,
  reportUnsayable,
  showsReasoning,
  signatureExtra,
} from "./render-answer.ts";
import { renderUsage } from "./render-usage.ts";

/** Writes a whole answer as `chat.completion`. */
export function renderResponse(response: ChatResponse, context: AnswerContext): JsonObject {
  const { usage, serviceTier, candidates } = response;
  return compact({
    id: completionId(context),
    object: "chat.completion",
    created: context.created,
    model: context.model,
    choices: candidates.map((candidate, index) => renderChoice(candidate, index, context)),
    usage: usage === undefined ? undefined : renderUsage(usage, context.costUsd(usage)),
    service_tier: serviceTier,
  });
}

function renderChoice(candidate: Candidate, index: number, context: AnswerContext): JsonObject {
  const { logprobs } = candidate;
  return {
    index,
    message: renderMessage(candidate.parts, context),
    logprobs: logprobs === undefined ? null : { content: logprobs, refusal: null },
    finish_reason: renderFinishReason(candidate.finishReason),
  };
}

interface Message {
  readonly content: string[];
  readonly refusal: string[];
  readonly reasoning: string[];
  readonly details: JsonObject[];
  readonly annotations: JsonObject[];
  readonly images: JsonObject[];
  readonly calls: JsonObject[];
  audio?: JsonObject;
  extra?: JsonObject;
}

function renderMessage(parts: readonly Part[], context: AnswerContext): JsonObject {
  const message: Message = {
    content: [],
    refusal: [],
    reasoning: [],
    details: [],
    annotations: [],
    images: [],
    calls: [],
  };
  for (const part of parts) addPart(message, part, context);
  const { content, refusal, reasoning } = message;
  return compact({
    role: "assistant",
    content: content.length === 0 ? null : content.join(""),
    refusal: refusal.length === 0 ? null : refusal.join(""),
    reasoning_content: reasoning.length === 0 ? undefined : reasoning.join("\n\n"),
    reasoning_details: nonEmpty(message.details),
    annotations: nonEmpty(message.annotations),
    images: nonEmpty(message.images),
    audio: message.audio,
    tool_calls: nonEmpty(message.calls),
    ...message.extra,
  });
}

const nonEmpty = (list: readonly JsonObject[]): readonly JsonObject[] | undefined =>
  list.length === 0 ? undefined : list;

function addPart(message: Message, part: Part, context: AnswerContext): void {
  switch (part.type) {
    case "text":
      addText(message, part);
      return;
    case "refusal":
      message.refusal.push(part.text);
      return;
    case "reasoning":
      if (!showsReasoning(context)) return;
      if (part.text !== "") message.reasoning.push(part.text);
      message.details.push(...renderReasoningDetails(part, reasoningIndex(message)));
      return;
    case "tool-call":
      message.calls.push(renderAnswerCall(part, context));
      return;
    case "audio":
      message.audio = renderAnswerAudio(part, context);
      return;
    case "image": {
      const image = renderAnswerImage(part, message.images.length);
      if (image === undefined) reportUnsayable(part, context);
      else message.images.push(image);
      return;
    }
    default:
      reportUnsayable(part, context);
  }
}

/** Entries of one block share an index; the next block has the next one. */
function reasoningIndex({ details }: Message): number {
  const last = details.at(-1)?.["index"];
  return typeof last === "number" ? last + 1 : 0;
}

function addText(message: Message, part: Extract<Part, { type: "text" }>): void {
  const start = message.content.reduce((length, text) => length + text.length, 0);
  const block = { start, end: start + part.text.length };
  message.content.push(part.text);
  for (const citation of part.citations ?? []) {
    const annotation = renderCitation(citation, block);
    if (annotation !== undefined) message.annotations.push(annotation);
  }
  if (part.signature !== undefined) message.extra = signatureExtra(part.signature);
}
