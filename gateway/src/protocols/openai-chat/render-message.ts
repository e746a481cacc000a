import { customToolArguments } from "#canonical/custom-tool.ts";
import type {
  Message,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from "#canonical/message.ts";
import { foreignSignature } from "#canonical/signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget } from "#protocols/codec.ts";

import { renderCache, renderContent } from "./render-parts.ts";
import { renderReasoningDetails } from "./reasoning-details.ts";

const partsOf = <Type extends Part["type"]>(
  parts: readonly Part[],
  type: Type,
): readonly Extract<Part, { type: Type }>[] =>
  parts.filter((part): part is Extract<Part, { type: Type }> => part.type === type);

/**
 * The conversation. Tool results come first in a turn, each as a message of its own, for they must
 * follow the calls at once; media in them goes into a user message after the last of them.
 */
export function renderMessages(messages: readonly Message[], target: RenderTarget): JsonObject[] {
  const rendered: JsonObject[] = [];
  let media: Part[] = [];
  for (const [at, message] of messages.entries()) {
    const results = partsOf(message.content, "tool-result");
    rendered.push(...results.map((result) => renderToolResult(result, target)));
    media.push(...results.flatMap((result) => mediaOf(result, target)));
    const rest = message.content.filter((part) => part.type !== "tool-result");
    const nextHasResults = messages[at + 1]?.content.some((part) => part.type === "tool-result");
    if (media.length > 0 && (rest.length > 0 || nextHasResults !== true)) {
      rendered.push({ role: "user", content: renderContent(media, target) });
      media = [];
    }
    if (results.length === 0 || rest.length > 0) {
      rendered.push(renderMessage({ ...message, content: rest }, target));
    }
  }
  return rendered;
}

function renderMessage(message: Message, target: RenderTarget): JsonObject {
  const { role, content, name } = message;
  switch (role) {
    case "assistant":
      return compact({ role, ...renderAssistant(content, target), name });
    case "developer": {
      const known = target.dialect.developerRole === true ? role : "system";
      return compact({ role: known, content: renderContent(content, target), name });
    }
    case "system":
    case "user":
      return compact({ role, content: renderContent(content, target), name });
    case "tool":
      return { role: "user", content: renderContent(content, target) };
  }
}

/** Text is a tool's answer; images and files in it are moved to a user message. */
const isToolText = (part: Part): boolean => part.type === "text" || part.type === "native";

function renderToolResult(result: ToolResultPart, target: RenderTarget): JsonObject {
  if (result.isError === true) {
    target.reportLoss("tool_result.is_error", "this protocol does not mark failed tool calls");
  }
  const text = result.content.filter(isToolText);
  return {
    role: "tool",
    tool_call_id: result.toolCallId,
    content: renderContent(text, target),
    ...renderCache(result.cache, target),
  };
}

function mediaOf(result: ToolResultPart, target: RenderTarget): Part[] {
  const media = result.content.filter((part) => !isToolText(part));
  if (media.length === 0) return [];
  target.reportLoss("tool_result.content", "changed: media is sent in a user message after it");
  return [{ type: "text", text: `Result of tool call ${result.toolCallId}:` }, ...media];
}

function renderAssistant(parts: readonly Part[], target: RenderTarget): JsonObject {
  const calls = partsOf(parts, "tool-call");
  const audio = partsOf(parts, "audio")[0];
  const spoken = audio?.source.type === "file-id" ? { id: audio.source.id } : undefined;
  const reasoning = renderReplay(parts, target);
  const said = parts.filter((part) => part !== audio && !NOT_CONTENT.has(part.type));
  const shown = said.filter((part) => part.type === "text" || part.type === "refusal");
  if (shown.length < said.length) {
    target.reportLoss("messages.content", "an assistant message can only hold text here");
  }
  const content = renderContent(shown, target);
  return compact({
    content: shown.length === 0 && (calls.length > 0 || spoken !== undefined) ? null : content,
    ...reasoning,
    ...withThinking(content, reasoning),
    audio: spoken,
    tool_calls: calls.length === 0 ? undefined : calls.map((call) => renderToolCall(call, target)),
  });
}

const NOT_CONTENT: ReadonlySet<Part["type"]> = new Set(["tool-call", "reasoning"]);

function renderToolCall(call: ToolCallPart, target: RenderTarget): JsonObject {
  const { id, kind, input, signature } = call;
  const name = flatToolName(call);
  if (signature !== undefined && target.dialect.reasoningReplay !== "reasoning_details") {
    target.reportLoss("thought_signature", foreignSignature(signature));
  }
  const cache = renderCache(call.cache, target);
  if (kind === "custom" && target.dialect.customTools === true) {
    return { id, type: "custom", custom: { name, input }, ...cache };
  }
  const text = kind === "custom" ? customToolArguments(input) : input;
  return { id, type: "function", function: { name, arguments: text }, ...cache };
}

/** What the model thought in earlier turns, where the provider takes it back. */
function renderReplay(parts: readonly Part[], target: RenderTarget): JsonObject {
  const reasoning = partsOf(parts, "reasoning");
  const style = target.dialect.reasoningReplay;
  if (style === "reasoning_details") return replayDetails(parts, reasoning);
  // DeepSeek and Moonshot refuse tool calls in thinking mode without this member, even if empty.
  const required = style === "reasoning_content" && partsOf(parts, "tool-call").length > 0;
  if (reasoning.length === 0) return required ? { reasoning_content: "" } : {};
  const signed = reasoning.find((part) => part.signature !== undefined)?.signature;
  if (signed !== undefined) {
    target.reportLoss("thinking.signature", foreignSignature(signed));
  }
  const text = reasoning
    .map((part) => part.text)
    .filter((text) => text !== "")
    .join("\n\n");
  if (style === undefined) {
    target.reportLoss("reasoning", "this provider does not take reasoning of earlier turns back");
    return {};
  }
  if (text === "") return required ? { reasoning_content: "" } : {};
  return style === "thinking-parts" ? { [THINKING]: text } : { [style]: text };
}

function replayDetails(parts: readonly Part[], reasoning: readonly ReasoningPart[]): JsonObject {
  const details = reasoning.flatMap(renderReasoningDetails);
  for (const { id, signature } of partsOf(parts, "tool-call")) {
    if (signature?.origin !== "gemini") continue;
    const index = details.length;
    const format = "google-gemini-v1";
    details.push({ type: "reasoning.encrypted", data: signature.value, id, format, index });
  }
  return details.length === 0 ? {} : { reasoning_details: details };
}

/** Carries Mistral's thinking text until the content is put together. */
const THINKING = "thinking";

/** Mistral: thinking is a part of the content list. */
function withThinking(content: string | JsonObject[], reasoning: JsonObject): JsonObject {
  const text = reasoning[THINKING];
  if (text === undefined) return {};
  const thinking = { type: "thinking", thinking: [{ type: "text", text }] };
  const said = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const shown = content === "" ? [] : said;
  return { content: [thinking, ...shown], [THINKING]: undefined };
}
