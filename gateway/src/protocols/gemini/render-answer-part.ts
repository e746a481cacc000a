import { signatureText } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { MediaSource, Part } from "#canonical/message.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { callArguments } from "./render-part.ts";

type Renderers = {
  readonly [Type in Part["type"]]: (
    part: Extract<Part, { type: Type }>,
    context: AnswerContext,
  ) => JsonObject | undefined;
};

/** The signature as the one opaque member that parts of this dialect have for it. */
export const thoughtSignature = (signature: Signature | undefined): string | undefined =>
  signature === undefined ? undefined : signatureText(signature, "gemini");

function unsaid({ type }: Part, { reportLoss }: AnswerContext): undefined {
  reportLoss(`candidates.${type}`, "answers of this dialect cannot hold it");
  return undefined;
}

const RENDERERS: Renderers = {
  text: ({ text, signature }) => compact({ text, thoughtSignature: thoughtSignature(signature) }),
  refusal: ({ text }) => ({ text }),
  reasoning: ({ text, signature }) =>
    compact({ text, thought: true, thoughtSignature: thoughtSignature(signature) }),
  "tool-call": (part, { reportLoss }) => {
    const args = callArguments(part, { field: `candidates.${part.name}`, reportLoss });
    const functionCall = { id: part.id, name: flatToolName(part), args };
    return compact({ functionCall, thoughtSignature: thoughtSignature(part.signature) });
  },
  image: ({ source }) => media(source),
  file: ({ source }) => media(source),
  audio: ({ source }) => media(source),
  video: ({ source }) => media(source),
  native: (part, context) => (part.protocol === "gemini" ? part.value : unsaid(part, context)),
  "tool-result": unsaid,
};

/** A part of an answer; `undefined` (reported) for what the dialect has no part for. */
export function renderAnswerPart(part: Part, context: AnswerContext): JsonObject | undefined {
  const render = RENDERERS[part.type] as (
    part: Part,
    context: AnswerContext,
  ) => JsonObject | undefined;
  return render(part, context);
}

function media(source: MediaSource): JsonObject {
  if (source.type === "base64") {
    return { inlineData: { mimeType: source.mediaType, data: source.data } };
  }
  const fileUri = source.type === "url" ? source.url : source.id;
  return { fileData: compact({ mimeType: source.mediaType, fileUri }) };
}
