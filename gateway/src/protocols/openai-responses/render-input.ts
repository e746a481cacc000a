import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type {
  Message,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from "#canonical/message.ts";
import { foreignSignature } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import { withoutBillingHeader } from "#canonical/without-billing-header.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { RenderTarget, ReportLoss } from "#protocols/codec.ts";
import { renderAnnotation } from "./citations.ts";
import { renderContent } from "./render-content.ts";

/** Types that stand inside a message's `content`; every other native part is an item of its own. */
const CONTENT_BLOCK = /^(?:input_|output_|text$|refusal$|encrypted_content$|computer_screenshot$)/;

/** The conversation as input items, each message at its place. */
export function renderInput(messages: readonly Message[], target: RenderTarget): JsonObject[] {
  return withoutBillingHeader(messages).flatMap((message) => renderMessage(message, target));
}

function renderMessage(message: Message, target: RenderTarget): JsonObject[] {
  const { reportLoss } = target;
  if (message.name !== undefined) reportLoss("messages.name", "messages have no name here");
  if (message.role === "assistant") return renderAssistant(message.content, target);
  const items: JsonObject[] = [];
  let content: Part[] = [];
  const flush = (): void => {
    if (content.length > 0) items.push(inputMessage(message.role, content, reportLoss));
    content = [];
  };
  for (const part of message.content) {
    const item = ownItem(part, reportLoss);
    if (item === undefined) content.push(part);
    else {
      flush();
      items.push(item);
    }
  }
  flush();
  return items;
}

function inputMessage(
  role: Message["role"],
  content: readonly Part[],
  reportLoss: ReportLoss,
): JsonObject {
  const sender = role === "tool" ? "user" : role;
  return { type: "message", role: sender, content: renderContent(content, reportLoss) };
}

/** Tool results and native items stand beside messages, not in them. */
function ownItem(part: Part, reportLoss: ReportLoss): JsonObject | undefined {
  if (part.type === "tool-result") return renderToolResult(part, reportLoss);
  return nativeValue(part, "item");
}

/** A native part of this protocol, if it is an item of its own or a block inside a message. */
function nativeValue(part: Part, place: "item" | "block"): JsonObject | undefined {
  if (part.type !== "native" || part.protocol !== "openai-responses") return undefined;
  const isBlock = CONTENT_BLOCK.test(String(part.value["type"]));
  return isBlock === (place === "block") ? part.value : undefined;
}

function renderAssistant(parts: readonly Part[], target: RenderTarget): JsonObject[] {
  const items: JsonObject[] = [];
  let content: JsonObject[] = [];
  const flush = (): void => {
    if (content.length > 0) items.push(assistantMessage(content));
    content = [];
  };
  for (const part of parts) {
    const block = assistantBlock(part, target.reportLoss);
    if (block !== undefined) {
      content.push(block);
      continue;
    }
    const item = assistantItem(part, target);
    if (item === undefined) continue;
    flush();
    items.push(item);
  }
  flush();
  return items;
}

/** A single plain text as a string: the form that every provider of this protocol takes. */
function assistantMessage(content: readonly JsonObject[]): JsonObject {
  const [first] = content;
  const plain = content.length === 1 && first?.["type"] === "output_text" && !first["annotations"];
  return { type: "message", role: "assistant", content: plain ? first["text"] : content };
}

function assistantBlock(part: Part, reportLoss: ReportLoss): JsonObject | undefined {
  if (part.type === "refusal") return { type: "refusal", refusal: part.text };
  if (part.type === "text") {
    if (part.signature !== undefined) reportForeign(part.signature, reportLoss);
    const annotations = (part.citations ?? []).flatMap(
      (citation) => renderAnnotation(citation, part.text.length) ?? [],
    );
    return compact({
      type: "output_text",
      text: part.text,
      annotations: annotations.length > 0 ? annotations : undefined,
    });
  }
  return nativeValue(part, "block");
}

function assistantItem(part: Part, target: RenderTarget): JsonObject | undefined {
  const { reportLoss } = target;
  if (part.type === "reasoning") return renderReasoning(part, target);
  if (part.type === "tool-call") return renderCall(part, reportLoss);
  if (part.type === "tool-result") return renderToolResult(part, reportLoss);
  const native = nativeValue(part, "item");
  if (native !== undefined) return native;
  reportLoss(
    "messages.content",
    part.type === "native"
      ? `a block that only ${part.protocol} understands was dropped`
      : `${part.type} cannot stand in an assistant message; it was dropped`,
  );
  return undefined;
}

/**
 * A thought of an earlier turn. OpenAI takes its own back only as an encrypted token and refuses
 * bare text with 400; DeepSeek wants the text back. So text without a token of this protocol goes
 * only to providers whose dialect replays reasoning.
 */
function renderReasoning(part: ReasoningPart, target: RenderTarget): JsonObject | undefined {
  const { signature, text } = part;
  const replaysText = TEXT_REPLAY.has(target.dialect.reasoningReplay ?? "none");
  if (signature?.origin === "openai") {
    return signedReasoning(part, signature, { asSummary: part.summary === true || !replaysText });
  }
  if (signature !== undefined) reportForeign(signature, target.reportLoss);
  if (text !== "" && replaysText) {
    return { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text }] };
  }
  if (signature === undefined) {
    target.reportLoss("messages.reasoning", "reasoning without an encrypted token was dropped");
  }
  return undefined;
}

const TEXT_REPLAY: ReadonlySet<string> = new Set([
  "reasoning_content",
  "reasoning_details",
  "reasoning",
]);

/**
 * OpenAI itself shows summaries only and refuses `content` with 400 ("array too long. Expected an
 * array with maximum length 0", 2026-09, github.com/musistudio/claude-code-router/issues/1783); a
 * text that has been through another dialect no longer says that it is one.
 */
function signedReasoning(
  { text }: ReasoningPart,
  signature: Signature,
  { asSummary }: { readonly asSummary: boolean },
): JsonObject {
  return compact({
    type: "reasoning",
    id: signature.itemId,
    summary: asSummary && text !== "" ? [{ type: "summary_text", text }] : [],
    content: asSummary || text === "" ? undefined : [{ type: "reasoning_text", text }],
    encrypted_content: signature.value,
  });
}

const reportForeign = (signature: Signature, reportLoss: ReportLoss): void =>
  reportLoss("messages.reasoning", foreignSignature(signature));

function renderCall(part: ToolCallPart, reportLoss: ReportLoss): JsonObject {
  if (part.signature !== undefined) reportForeign(part.signature, reportLoss);
  const { id, kind, input } = part;
  const name = flatToolName(part);
  if (kind === "custom") return { type: "custom_tool_call", call_id: id, name, input };
  // A call without arguments is an empty text in some dialects; here it must be JSON.
  return { type: "function_call", call_id: id, name, arguments: input === "" ? "{}" : input };
}

function renderToolResult(part: ToolResultPart, reportLoss: ReportLoss): JsonObject {
  if (part.isError === true) {
    reportLoss("messages.content.is_error", "a tool result cannot be marked as failed here");
  }
  return {
    type: part.kind === "custom" ? "custom_tool_call_output" : "function_call_output",
    call_id: part.toolCallId,
    output: renderContent(part.content, reportLoss),
  };
}
