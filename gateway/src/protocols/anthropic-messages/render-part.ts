import { foreignSignature } from "#canonical/signature.ts";
import { toolInputObject } from "#canonical/tool-input.ts";
import { flatToolName } from "#canonical/tool.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  CacheMarker,
  FilePart,
  ImagePart,
  MediaSource,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from "#canonical/message.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import { replayableCitations } from "./citations.ts";
import { providerToolId } from "./tool-id.ts";

/** Where a part stands in the client's request, and what it may hold there. */
export interface PartContext {
  readonly role: "system" | "user" | "assistant";
  /** Path of the part for losses. */
  readonly field: string;
  /** Whether ids of uploaded files are of this provider. */
  readonly sameProtocol: boolean;
  readonly reportLoss: ReportLoss;
}

export const renderCache = (cache: CacheMarker | undefined): JsonObject | undefined =>
  cache === undefined ? undefined : compact({ type: "ephemeral", ttl: cache.ttl });

type Renderers = {
  readonly [Type in Part["type"]]: (
    part: Extract<Part, { type: Type }>,
    context: PartContext,
  ) => JsonObject | undefined;
};

const RENDERERS: Renderers = {
  text: ({ text, citations, cache }, { role }) =>
    renderText(text, {
      citations: role === "assistant" ? replayableCitations(citations) : [],
      cache,
    }),
  refusal: ({ text }) => renderText(text, { citations: [], cache: undefined }),
  image: renderImage,
  file: renderFile,
  audio: ({ transcript = "" }, { field, reportLoss }) => {
    reportLoss(field, "audio is not understood; only its transcript is sent");
    return renderText(transcript, { citations: [], cache: undefined });
  },
  video: (_, context) => lost(context, "video is not understood"),
  reasoning: renderReasoning,
  "tool-call": renderToolCall,
  "tool-result": renderToolResult,
  native: ({ protocol, value }, context) =>
    protocol === "anthropic-messages"
      ? value
      : lost(context, `a block that only ${protocol} knows`),
};

/** The part as a content block; `undefined` where the protocol cannot say it (reported) or it is empty. */
export function renderPart(part: Part, context: PartContext): JsonObject | undefined {
  const render = RENDERERS[part.type] as (
    part: Part,
    context: PartContext,
  ) => JsonObject | undefined;
  return render(part, context);
}

function lost({ field, reportLoss }: PartContext, reason: string): undefined {
  reportLoss(field, reason);
  return undefined;
}

/** Blank text blocks are refused with 400; other dialects send them beside tool calls. */
function renderText(
  text: string,
  { citations, cache }: { citations: readonly JsonObject[]; cache: CacheMarker | undefined },
): JsonObject | undefined {
  if (text.trim() === "") return undefined;
  return compact({
    type: "text",
    text,
    citations: citations.length > 0 ? citations : undefined,
    cache_control: renderCache(cache),
  });
}

const IMAGE_TYPES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

function renderImage(part: ImagePart, context: PartContext): JsonObject | undefined {
  const { source, detail, cache } = part;
  if (context.role === "assistant") return lost(context, "images in assistant turns are refused");
  if (source.type === "base64" && !IMAGE_TYPES.has(source.mediaType)) {
    return lost(context, `images of type ${source.mediaType} are not understood`);
  }
  const rendered = renderSource(source, context);
  if (rendered === undefined) return undefined;
  if (detail !== undefined) context.reportLoss(`${context.field}.detail`, "has no counterpart");
  return compact({ type: "image", source: rendered, cache_control: renderCache(cache) });
}

function renderSource(source: MediaSource, context: PartContext): JsonObject | undefined {
  if (source.type === "url") return { type: "url", url: source.url };
  if (source.type === "base64") {
    return { type: "base64", media_type: source.mediaType, data: source.data };
  }
  if (context.sameProtocol) return { type: "file", file_id: source.id };
  return lost(context, "the id of a file that was uploaded to another provider");
}

function renderFile(part: FilePart, context: PartContext): JsonObject | undefined {
  const { source, filename, citations, cache } = part;
  if (context.role === "assistant")
    return lost(context, "documents in assistant turns are refused");
  const rendered = renderDocumentSource(source, context);
  if (rendered === undefined) return undefined;
  return compact({
    type: "document",
    source: rendered,
    title: filename,
    citations: citations === undefined ? undefined : { enabled: citations },
    cache_control: renderCache(cache),
  });
}

function renderDocumentSource(source: MediaSource, context: PartContext): JsonObject | undefined {
  if (source.type !== "base64") return renderSource(source, context);
  const { mediaType, data } = source;
  if (mediaType === "application/pdf") return renderSource(source, context);
  if (/^text\/|^application\/(?:json|xml|yaml|x-ndjson)\b/.test(mediaType)) {
    const text = Buffer.from(data, "base64").toString();
    return { type: "text", media_type: "text/plain", data: text };
  }
  return lost(context, `files of type ${mediaType} are not understood`);
}

/** Only Claude's own signed thinking may go back: unsigned or foreign thinking is refused with 400. */
function renderReasoning(part: ReasoningPart, context: PartContext): JsonObject | undefined {
  const { text, signature } = part;
  if (signature === undefined) return lost(context, "reasoning without a signature is refused");
  if (signature.origin !== "anthropic") {
    context.reportLoss("messages.reasoning", foreignSignature(signature));
    return undefined;
  }
  if (signature.redacted === true) return { type: "redacted_thinking", data: signature.value };
  return { type: "thinking", thinking: text, signature: signature.value };
}

function renderToolCall(part: ToolCallPart, context: PartContext): JsonObject {
  const { signature } = part;
  if (signature !== undefined)
    context.reportLoss("messages.reasoning", foreignSignature(signature));
  return compact({
    type: "tool_use",
    id: providerToolId(part.id),
    name: flatToolName(part),
    input: toolUseInput(part, context),
    cache_control: renderCache(part.cache),
  });
}

/** A call's input as the object that the protocol wants; a free text stands under `input`. */
export function toolUseInput(
  part: ToolCallPart,
  context: Pick<PartContext, "field" | "reportLoss">,
): JsonObject {
  if (part.kind === "custom") return { input: part.input };
  const { value, exact } = toolInputObject(part.input);
  if (!exact) context.reportLoss(context.field, "changed: arguments that are no JSON object");
  return value;
}

function renderToolResult(part: ToolResultPart, context: PartContext): JsonObject {
  return compact({
    type: "tool_result",
    tool_use_id: providerToolId(part.toolCallId),
    content: renderBlocks(part.content, { ...context, role: "user" }),
    is_error: part.isError,
    cache_control: renderCache(part.cache),
  });
}

/** Blocks of several parts; one plain text is a string, and nothing at all is left out. */
function renderBlocks(
  parts: readonly Part[],
  context: PartContext,
): JsonObject[] | string | undefined {
  const blocks = parts.flatMap<JsonObject>((part, at) => {
    const field = `${context.field}.content[${at}]`;
    return renderPart(part, { ...context, field }) ?? [];
  });
  return blocks.length === 0 ? undefined : asPlainText(blocks);
}

/** A single text block without any other member as the string that stands for it. */
export function asPlainText(blocks: JsonObject[]): JsonObject[] | string {
  const [only, ...others] = blocks;
  if (only?.["type"] !== "text" || others.length > 0) return blocks;
  const text = only["text"];
  return Object.keys(only).length === 2 && typeof text === "string" ? text : blocks;
}
