import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { customToolArguments } from "#canonical/custom-tool.ts";
import { urlFromMedia } from "#canonical/media-source.ts";
import type { Message, Part, ToolCallPart, ToolResultPart } from "#canonical/message.ts";
import { foreignSignature } from "#canonical/signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { RenderTarget, ReportLoss } from "#protocols/codec.ts";

/** The conversation in Cohere's four roles, each message at its place. */
export function renderMessages(messages: readonly Message[], target: RenderTarget): JsonObject[] {
  return messages.flatMap((message) => renderMessage(message, target));
}

function renderMessage(message: Message, target: RenderTarget): JsonObject[] {
  const { reportLoss } = target;
  if (message.name !== undefined) reportLoss("messages.name", "messages have no name here");
  if (message.role === "assistant") return renderAssistant(message.content, target);
  const results = message.content.flatMap((part) =>
    part.type === "tool-result" ? [renderResult(part, reportLoss)] : [],
  );
  const content = renderParts(message.content, reportLoss);
  const role = message.role === "developer" ? "system" : message.role;
  const others =
    content.length === 0
      ? []
      : [{ role: role === "tool" ? "user" : role, content: plain(content) }];
  // Results answer the calls before them, so they stand before what the user adds.
  return [...results, ...others];
}

/** A single text as a string, as most clients send it. */
function plain(content: readonly JsonObject[]): unknown {
  const [first] = content;
  return content.length === 1 && first?.["type"] === "text" ? first["text"] : content;
}

function renderParts(parts: readonly Part[], reportLoss: ReportLoss): JsonObject[] {
  return parts.flatMap((part) => {
    const rendered = renderPart(part, reportLoss);
    return rendered === undefined ? [] : [rendered];
  });
}

function renderPart(part: Part, reportLoss: ReportLoss): JsonObject | undefined {
  if (part.type === "text" || part.type === "refusal") return { type: "text", text: part.text };
  if (part.type === "tool-result") return undefined;
  if (part.type === "image") {
    const url = urlFromMedia(part.source);
    if (url !== undefined)
      return { type: "image_url", image_url: compact({ url, detail: part.detail }) };
  }
  if (part.type === "file") {
    const { source } = part;
    if (source.type === "base64" && source.mediaType.startsWith("text/")) {
      return { type: "text", text: Buffer.from(source.data, "base64").toString("utf8") };
    }
  }
  if (part.type === "native" && part.protocol === "cohere") return part.value;
  reportLoss("messages.content", `${part.type} cannot be sent to Cohere; it was dropped`);
  return undefined;
}

/** Only these take thoughts back as content; for the others they are the plan of their calls. */
const thinks = (model: string): boolean => /reasoning|command-a-plus/.test(model);

function renderAssistant(parts: readonly Part[], target: RenderTarget): JsonObject[] {
  const { reportLoss, upstreamModel } = target;
  const calls = parts.filter((part) => part.type === "tool-call");
  const thoughts = reasoningTexts(parts, reportLoss);
  const said = renderParts(
    parts.filter(({ type }) => type !== "reasoning" && type !== "tool-call"),
    reportLoss,
  );
  const asContent = thinks(upstreamModel);
  const thinking = asContent ? thoughts.map((text) => ({ type: "thinking", thinking: text })) : [];
  const hasPlan = !asContent && thoughts.length > 0 && calls.length > 0;
  if (!asContent && thoughts.length > 0 && calls.length === 0) {
    reportLoss("messages.reasoning", "this model takes no reasoning back");
  }
  const content = [...thinking, ...said];
  if (content.length === 0 && calls.length === 0) return [];
  return [
    compact({
      role: "assistant",
      content: content.length === 0 ? undefined : plain(content),
      tool_plan: hasPlan ? thoughts.join("\n") : undefined,
      tool_calls:
        calls.length === 0 ? undefined : calls.map((call) => renderCall(call, reportLoss)),
    }),
  ];
}

function reasoningTexts(parts: readonly Part[], reportLoss: ReportLoss): string[] {
  return parts.flatMap((part) => {
    if (part.type !== "reasoning") return [];
    if (part.signature !== undefined) {
      reportLoss("messages.reasoning", foreignSignature(part.signature));
    }
    return part.text === "" ? [] : [part.text];
  });
}

function renderCall(part: ToolCallPart, reportLoss: ReportLoss): JsonObject {
  if (part.signature !== undefined) {
    reportLoss("messages.reasoning", foreignSignature(part.signature));
  }
  const text = part.kind === "custom" ? customToolArguments(part.input) : part.input;
  return {
    id: part.id,
    type: "function",
    function: { name: flatToolName(part), arguments: text === "" ? "{}" : text },
  };
}

function renderResult(part: ToolResultPart, reportLoss: ReportLoss): JsonObject {
  if (part.isError === true) {
    reportLoss("messages.content.is_error", "a tool result cannot be marked as failed here");
  }
  const content = part.content.flatMap((inner): JsonObject[] => {
    const isOwn = inner.type === "native" && inner.protocol === "cohere";
    if (inner.type === "text" || inner.type === "refusal")
      return [{ type: "text", text: inner.text }];
    if (isOwn) return [inner.value];
    reportLoss("messages.content", `${inner.type} has no place in a tool result; it was dropped`);
    return [];
  });
  return {
    role: "tool",
    tool_call_id: part.toolCallId,
    content: content.length === 0 ? "" : plain(content),
  };
}
