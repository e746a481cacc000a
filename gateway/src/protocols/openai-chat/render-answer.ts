import { customToolInput, isCustomTool } from "#canonical/custom-tool.ts";
import { urlFromMedia } from "#canonical/media-source.ts";
import type { AudioPart, Citation, ImagePart, Part, ToolCallPart } from "#canonical/message.ts";
import { signatureText } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";

import { googleExtraContent } from "./parse-parts.ts";

/** The answer's id in the client's eyes. */
export const completionId = ({ requestId }: AnswerContext): string => `chatcmpl-${requestId}`;

/** Whether the client wants to see the reasoning (`reasoning.exclude`). */
export const showsReasoning = ({ request }: AnswerContext): boolean =>
  request.reasoning?.summary !== "none";

export const signatureExtra = (signature: Signature | undefined): JsonObject =>
  googleExtraContent(signature === undefined ? undefined : signatureText(signature, "gemini"));

/** No arguments are `{}` to OpenAI's clients, which parse the text as JSON. */
const functionArguments = (input: string): string => (input === "" ? "{}" : input);

export function renderAnswerCall(call: ToolCallPart, context: AnswerContext): JsonObject {
  const { id, kind, name, input, signature } = call;
  const extra = signatureExtra(signature);
  if (kind === "custom") return { id, type: "custom", custom: { name, input }, ...extra };
  if (isCustomTool(context.request.tools, name)) {
    return { id, type: "custom", custom: { name, input: customToolInput(input) }, ...extra };
  }
  const called = { name, arguments: functionArguments(input) };
  return { id, type: "function", function: called, ...extra };
}

/** Where a block of text lies in the whole answer's text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** An annotation; a source without a range stands for its whole block. */
export function renderCitation(citation: Citation, block: TextSpan): JsonObject | undefined {
  const { url, title, citedText, start, end, native } = citation;
  if (url === undefined) return native?.protocol === "openai-chat" ? native.value : undefined;
  return {
    type: "url_citation",
    url_citation: compact({
      url,
      title: title ?? "",
      content: citedText,
      start_index: start === undefined ? block.start : block.start + start,
      end_index: end === undefined ? block.end : block.start + end,
    }),
  };
}

export function renderAnswerImage(part: ImagePart, index: number): JsonObject | undefined {
  const url = urlFromMedia(part.source);
  return url === undefined ? undefined : { type: "image_url", image_url: { url }, index };
}

/** OpenAI keeps a spoken answer for an hour. */
const AUDIO_SECONDS = 3600;

export function renderAnswerAudio(part: AudioPart, context: AnswerContext): JsonObject {
  return {
    id: `audio_${context.requestId}`,
    data: part.source.type === "base64" ? part.source.data : "",
    transcript: part.transcript ?? "",
    expires_at: context.created + AUDIO_SECONDS,
  };
}

/** A block of another protocol: named as a loss, for the client has no word for it. */
export function reportUnsayable(part: Part, { reportLoss }: AnswerContext): void {
  const what = part.type === "native" ? String(part.value["type"]) : part.type;
  reportLoss(`answer.${what}`, "chat completions cannot carry it");
}
