import { foreignSignature, signatureText } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import { toolInputObject } from "#canonical/tool-input.ts";
import { flatToolName } from "#canonical/tool.ts";
import type {
  FilePart,
  ImagePart,
  MediaSource,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "#canonical/message.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import { isMadeUpId } from "./call-ids.ts";
import { mediaTypeOfUrl } from "./media.ts";

export interface PartContext {
  /** Path of the part for losses. */
  readonly field: string;
  /** The client speaks this protocol: ids of files and calls are the provider's own. */
  readonly sameProtocol: boolean;
  /** Names of the functions by the ids of their calls. */
  readonly callNames: ReadonlyMap<string, string>;
  /** Gemini 3: media of a tool's result may stand inside it. */
  readonly mediaInResults: boolean;
  readonly reportLoss: ReportLoss;
}

type Renderers = {
  readonly [Type in Part["type"]]: (
    part: Extract<Part, { type: Type }>,
    context: PartContext,
  ) => readonly JsonObject[];
};

const RENDERERS: Renderers = {
  text: renderText,
  refusal: ({ text }) => (text === "" ? [] : [{ text }]),
  image: renderImage,
  file: renderFile,
  audio: ({ source }, context) => renderMedia(source, context),
  video: ({ source }, context) => renderMedia(source, context),
  reasoning: renderReasoning,
  "tool-call": renderToolCall,
  "tool-result": renderToolResult,
  native: ({ protocol, value }, context) =>
    protocol === "gemini" ? [value] : lost(context, `a block that only ${protocol} knows`),
};

/** The wire's parts for one canonical part; none where it is empty or cannot be said (reported). */
export function renderPart(part: Part, context: PartContext): readonly JsonObject[] {
  const render = RENDERERS[part.type] as (
    part: Part,
    context: PartContext,
  ) => readonly JsonObject[];
  return render(part, context);
}

function lost({ field, reportLoss }: PartContext, reason: string): [] {
  reportLoss(field, reason);
  return [];
}

/** Only Gemini's own signatures may go back: a foreign one is answered with 400. */
function ownSignature(signature: Signature | undefined, context: PartContext): string | undefined {
  if (signature === undefined) return undefined;
  if (signature.origin === "gemini") return signatureText(signature, "gemini");
  context.reportLoss("messages.reasoning", foreignSignature(signature));
  return undefined;
}

function renderText({ text, signature }: TextPart, context: PartContext): JsonObject[] {
  const thoughtSignature = ownSignature(signature, context);
  if (text === "" && thoughtSignature === undefined) return [];
  return [compact({ text, thoughtSignature })];
}

function renderReasoning({ text, signature }: ReasoningPart, context: PartContext): JsonObject[] {
  if (signature?.origin !== "gemini" && !context.sameProtocol) {
    context.reportLoss(
      "messages.reasoning",
      signature === undefined
        ? "reasoning without Gemini's own token is not sent on"
        : foreignSignature(signature),
    );
    return [];
  }
  const thoughtSignature = ownSignature(signature, context);
  if (text === "" && thoughtSignature === undefined) return [];
  return [compact({ text, thought: true, thoughtSignature })];
}

function renderToolCall(part: ToolCallPart, context: PartContext): JsonObject[] {
  const thoughtSignature = ownSignature(part.signature, context);
  const functionCall = compact({
    id: wireId(part.id, context),
    name: flatToolName(part),
    args: callArguments(part, context),
  });
  return [compact({ functionCall, thoughtSignature })];
}

/** Ids are optional here: only the provider's own go back. */
const wireId = (id: string, { sameProtocol }: PartContext): string | undefined =>
  sameProtocol && !isMadeUpId(id) ? id : undefined;

/** A call's input as an object; a free text stands under `input`. */
export function callArguments(
  { kind, input }: ToolCallPart,
  { field, reportLoss }: Pick<PartContext, "field" | "reportLoss">,
): JsonObject {
  if (kind === "custom") return { input };
  const { value, exact } = toolInputObject(input);
  if (!exact) reportLoss(field, "changed: arguments that are no JSON object");
  return value;
}

/** Media of a result stand in it where the model takes that, else beside it. */
function renderToolResult(part: ToolResultPart, context: PartContext): JsonObject[] {
  const texts = part.content.flatMap((item) => (item.type === "text" ? [item.text] : []));
  const others = part.content.filter(({ type }) => type !== "text");
  const name = part.name ?? context.callNames.get(part.toolCallId);
  if (name === undefined) {
    context.reportLoss(context.field, "changed: no call has this id; it stands for the name");
  }
  const media = others.flatMap((item) => renderPart(item, context));
  const inside = context.mediaInResults && media.length > 0;
  const functionResponse = compact({
    id: wireId(part.toolCallId, context),
    name: name ?? part.toolCallId,
    response: resultObject(texts.join("\n"), part.isError === true),
    parts: inside ? media : undefined,
  });
  return inside ? [{ functionResponse }] : [{ functionResponse }, ...media];
}

/** A result must be an object: that of its text, or the key that Google documents. */
function resultObject(text: string, isError: boolean): JsonObject {
  if (isError) return { error: text };
  if (!text.trimStart().startsWith("{")) return { output: text };
  const { value, exact } = toolInputObject(text);
  return exact ? value : { output: text };
}

function renderImage({ source, detail }: ImagePart, context: PartContext): readonly JsonObject[] {
  if (detail !== undefined) context.reportLoss(`${context.field}.detail`, "has no counterpart");
  return renderMedia(source, context);
}

function renderFile({ source, filename, citations }: FilePart, context: PartContext) {
  if (filename !== undefined) context.reportLoss(`${context.field}.filename`, "cannot be said");
  if (citations === true) context.reportLoss(`${context.field}.citations`, "cannot be asked for");
  return renderMedia(source, context);
}

function renderMedia(source: MediaSource, context: PartContext): readonly JsonObject[] {
  if (source.type === "base64") {
    return [{ inlineData: { mimeType: source.mediaType, data: source.data } }];
  }
  if (source.type === "file-id" && !context.sameProtocol) {
    return lost(context, "the id of a file that was uploaded to another provider");
  }
  const fileUri = source.type === "url" ? source.url : source.id;
  const known = context.sameProtocol ? undefined : mediaTypeOfUrl(fileUri);
  return [{ fileData: compact({ mimeType: source.mediaType ?? known, fileUri }) }];
}
