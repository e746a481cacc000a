import { carriedSignature } from "#canonical/carried-signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import { signatureText, type Signature } from "#canonical/signature.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Part, ReasoningPart, TextPart } from "#canonical/message.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { renderCitation } from "./citations.ts";
import { renderStopReason } from "./finish-reason.ts";
import { toolUseInput } from "./render-part.ts";
import { NO_USAGE, renderUsage } from "./render-usage.ts";

/** The whole message that a client of this protocol gets. */
export function renderResponse(response: ChatResponse, context: AnswerContext): JsonObject {
  const [candidate, ...others] = response.candidates;
  if (others.length > 0) context.reportLoss("candidates", "only the first answer can be said");
  const content = (candidate?.parts ?? []).flatMap<JsonObject>((part) => [
    ...renderCarried(part),
    ...[renderAnswerPart(part, context) ?? []].flat(),
  ]);
  const { usage } = response;
  return {
    id: messageId(response.id, context),
    type: "message",
    role: "assistant",
    model: context.model,
    content,
    stop_reason: renderStopReason(candidate?.finishReason ?? "other"),
    stop_sequence: candidate?.stopSequence ?? null,
    usage: usage === undefined ? NO_USAGE : renderUsage(usage, context.costUsd(usage)),
  };
}

/** The provider's id where it is of this protocol, else one from the gateway's. */
export const messageId = (id: string | undefined, { requestId }: AnswerContext): string =>
  id?.startsWith("msg_") === true ? id : `msg_${requestId}`;

type Renderers = {
  readonly [Type in Part["type"]]: (
    part: Extract<Part, { type: Type }>,
    context: AnswerContext,
  ) => JsonObject | undefined;
};

function unsaid({ type }: Part, { reportLoss }: AnswerContext): undefined {
  reportLoss(`content.${type}`, "answers of this dialect cannot hold it");
  return undefined;
}

const RENDERERS: Renderers = {
  text: renderText,
  refusal: ({ text }) => ({ type: "text", text }),
  reasoning: renderThinking,
  "tool-call": (part, { reportLoss }) => {
    const input = toolUseInput(part, { field: `content.${part.name}`, reportLoss });
    return { type: "tool_use", id: part.id, name: flatToolName(part), input };
  },
  audio: (part, context) => {
    unsaid(part, context);
    return part.transcript === undefined ? undefined : { type: "text", text: part.transcript };
  },
  native: (part, context) =>
    part.protocol === "anthropic-messages" ? part.value : unsaid(part, context),
  image: unsaid,
  file: unsaid,
  video: unsaid,
  "tool-result": unsaid,
};

/** A part of an answer as a content block; `undefined` (reported) for what the dialect has no block for. */
export function renderAnswerPart(part: Part, context: AnswerContext): JsonObject | undefined {
  const render = RENDERERS[part.type] as (
    part: Part,
    context: AnswerContext,
  ) => JsonObject | undefined;
  return render(part, context);
}

/** Tokens of texts are Gemini's alone, which takes their absence: clients of this dialect keep none. */
export function reportTextSignature(
  signature: Signature | undefined,
  { reportLoss }: AnswerContext,
): void {
  if (signature !== undefined) reportLoss("content.text", "its thought signature is not kept");
}

function renderText({ text, citations = [], signature }: TextPart, context: AnswerContext) {
  reportTextSignature(signature, context);
  const rendered = citations.flatMap<JsonObject>((citation) => renderCitation(citation) ?? []);
  return compact({ type: "text", text, citations: rendered.length > 0 ? rendered : undefined });
}

/** A call's own token in a thinking block before it, where clients keep it. */
function renderCarried(part: Part): JsonObject[] {
  if (part.type !== "tool-call" || part.signature === undefined) return [];
  const signature = carriedSignature(part.signature, part.id);
  return [renderThinking({ type: "reasoning", text: "", signature })];
}

function renderThinking({ text, signature }: ReasoningPart): JsonObject {
  if (signature?.origin === "anthropic" && signature.redacted === true) {
    return { type: "redacted_thinking", data: signature.value };
  }
  const token = signature === undefined ? "" : signatureText(signature, "anthropic");
  return { type: "thinking", thinking: text, signature: token };
}
