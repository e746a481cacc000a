import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { customToolArguments } from "#canonical/custom-tool.ts";
import type {
  CacheMarker,
  NativePart,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from "#canonical/message.ts";
import { foreignSignature } from "#canonical/signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import { toolInputObject } from "#canonical/tool-input.ts";
import { renderAudio, renderDocument, renderImage, renderVideo } from "./render-media.ts";
import type { BlockContext } from "./render-media.ts";
import { isClaude, renderRedacted, takesSignature } from "./signature-origin.ts";
import { toolUseId } from "./tool-names.ts";

/** A part as content blocks: the block itself, and a cache point where the part marks one. */
export function renderBlocks(part: Part, context: BlockContext): JsonObject[] {
  const block = renderBlock(part, context);
  const blocks = block === undefined ? [] : [block];
  if (!("cache" in part) || part.cache === undefined) return blocks;
  return [...blocks, ...renderCachePoint(part.cache, context)];
}

/** Only Claude and Nova have cache points; other models answer 400 to them. */
export function renderCachePoint(cache: CacheMarker, context: BlockContext): JsonObject[] {
  if (!isClaude(context.upstreamModel) && !context.upstreamModel.includes("nova")) {
    context.reportLoss("cache_control", "this model has no cache points");
    return [];
  }
  return [{ cachePoint: compact({ type: "default", ttl: cache.ttl }) }];
}

function renderBlock(part: Part, context: BlockContext): JsonObject | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      // Bedrock refuses blank text.
      return part.text.trim() === "" ? undefined : { text: part.text };
    case "reasoning":
      return renderReasoning(part, context);
    case "tool-call":
      return renderCall(part, context);
    case "tool-result":
      return renderResult(part, context);
    case "native":
      return renderNative(part, context);
    case "image":
    case "file":
    case "audio":
    case "video":
    default:
      return renderMediaPart(part, context);
  }
}

function renderNative(part: NativePart, context: BlockContext): JsonObject | undefined {
  if (part.protocol === "bedrock-converse") return part.value;
  context.reportLoss("messages.content", `a block of ${part.protocol} was dropped`);
  return undefined;
}

type MediaPart = Extract<Part, { type: "image" | "file" | "audio" | "video" }>;

function renderMediaPart(part: MediaPart, context: BlockContext): JsonObject | undefined {
  if (part.type === "image") return renderImage(part, context);
  if (part.type === "file") return renderDocument(part, context);
  return part.type === "audio" ? renderAudio(part, context) : renderVideo(part, context);
}

/** Thoughts go back only with the model's own token: without it, or with another's, it answers 400. */
function renderReasoning(part: ReasoningPart, context: BlockContext): JsonObject | undefined {
  const { signature, text } = part;
  if (signature === undefined) {
    context.reportLoss("messages.reasoning", "reasoning without a signature was dropped");
    return undefined;
  }
  if (!takesSignature(context.upstreamModel, signature)) {
    context.reportLoss("messages.reasoning", foreignSignature(signature));
    return undefined;
  }
  if (signature.redacted === true) {
    return { reasoningContent: { redactedContent: renderRedacted(signature) } };
  }
  return { reasoningContent: { reasoningText: { text, signature: signature.value } } };
}

function renderCall(part: ToolCallPart, context: BlockContext): JsonObject {
  const { id, kind, signature } = part;
  if (signature !== undefined)
    context.reportLoss("messages.reasoning", foreignSignature(signature));
  const text = kind === "custom" ? customToolArguments(part.input) : part.input;
  const { value, exact } = toolInputObject(text);
  if (!exact) {
    context.reportLoss("messages.tool_calls", "changed: arguments that are no JSON object");
  }
  return { toolUse: { toolUseId: toolUseId(id), name: flatToolName(part), input: value } };
}

const RESULT_TYPES: ReadonlySet<string> = new Set(["text", "refusal", "image", "file", "video"]);

function renderResult(part: ToolResultPart, context: BlockContext): JsonObject {
  const content = part.content.flatMap((inner) => {
    if (RESULT_TYPES.has(inner.type)) return renderBlock(inner, context) ?? [];
    context.reportLoss("messages.content", `${inner.type} has no place in a tool result; dropped`);
    return [];
  });
  return {
    toolResult: compact({
      toolUseId: toolUseId(part.toolCallId),
      content,
      status: part.isError === true ? "error" : undefined,
    }),
  };
}
