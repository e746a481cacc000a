import type { ChatRequest } from "#canonical/chat-request.ts";
import { messageField } from "#canonical/message-field.ts";
import type { Message } from "#canonical/message.ts";
import { flatToolName } from "#canonical/tool.ts";
import { withoutBillingHeader } from "#canonical/without-billing-header.ts";
import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import { NO_SIGNATURE } from "./parse-part.ts";
import { renderPart } from "./render-part.ts";
import type { PartContext } from "./render-part.ts";
import { resultsInCallOrder } from "./result-order.ts";

interface Content {
  readonly role: "user" | "model";
  readonly parts: readonly JsonObject[];
}

export interface RenderedMessages {
  readonly systemInstruction?: JsonObject;
  readonly contents: readonly JsonObject[];
}

export interface MessageTarget {
  readonly needsSignatures: boolean;
  readonly mediaInResults: boolean;
  readonly reportLoss: ReportLoss;
}

const isSystem = ({ role }: Message): boolean => role === "system" || role === "developer";

/** All messages: those of the system at the start become the instruction, the others contents. */
export function renderMessages(request: ChatRequest, target: MessageTarget): RenderedMessages {
  const messages = resultsInCallOrder(withoutBillingHeader(request.messages));
  const start = systemCount(messages);
  const context = {
    sameProtocol: request.protocol === "gemini",
    callNames: namesOfCalls(messages),
    mediaInResults: target.mediaInResults,
    reportLoss: target.reportLoss,
  };
  const rendered = messages.map((message, at): Content => {
    const parts = message.content.flatMap((part, partAt) =>
      renderPart(part, { ...context, field: `${messageField(request, at)}.content[${partAt}]` }),
    );
    return { role: message.role === "assistant" ? "model" : "user", parts };
  });
  reportChanged({ ...request, messages }, start, target.reportLoss);
  const instruction = rendered.slice(0, start).flatMap(({ parts }) => parts);
  const contents = merge(rendered.slice(start)).map((content) => signed(content, target));
  return {
    ...(instruction.length > 0 && { systemInstruction: { parts: instruction } }),
    contents: contents.map(({ role, parts }) => ({ role, parts })),
  };
}

/** How many messages make up the instruction; one at least must be left as content. */
function systemCount(messages: readonly Message[]): number {
  const first = messages.findIndex((message) => !isSystem(message));
  return first === -1 ? Math.max(0, messages.length - 1) : first;
}

function reportChanged(request: ChatRequest, start: number, reportLoss: ReportLoss): void {
  for (const [at, message] of request.messages.entries()) {
    if (message.name !== undefined)
      reportLoss(`${messageField(request, at)}.name`, "turns have no names");
    if (at < start || !isSystem(message)) continue;
    reportLoss(
      messageField(request, at),
      "changed: a system message that is not at the start becomes user",
    );
  }
}

function namesOfCalls(messages: readonly Message[]): PartContext["callNames"] {
  const names = new Map<string, string>();
  for (const { content } of messages) {
    for (const part of content)
      if (part.type === "tool-call") names.set(part.id, flatToolName(part));
  }
  return names;
}

const hasResult = ({ parts }: Content): boolean =>
  parts.some((part) => part["functionResponse"] !== undefined);

/** The results of parallel calls must come in one content, and so must the calls. */
function merge(contents: readonly Content[]): Content[] {
  const merged: { readonly role: Content["role"]; readonly parts: JsonObject[] }[] = [];
  // Looked for once a content: a long conversation has tens of thousands to be merged.
  let lastHasResult = false;
  for (const content of contents) {
    if (content.parts.length === 0) continue;
    const last = merged.at(-1);
    const withResult = hasResult(content);
    const together =
      last?.role === content.role && (content.role === "model" || (lastHasResult && withResult));
    if (last !== undefined && together) for (const part of content.parts) last.parts.push(part);
    else merged.push({ role: content.role, parts: [...content.parts] });
    lastHasResult = withResult;
  }
  return merged;
}

/**
 * Gemini 3 answers 400 when the first call of a turn has no thought signature. Calls that another
 * model made have none: for them Google documents a value that is not checked
 * (ai.google.dev/gemini-api/docs/thought-signatures).
 */
function signed(content: Content, { needsSignatures, reportLoss }: MessageTarget): Content {
  const at = content.parts.findIndex((part) => isObject(part["functionCall"]));
  const call = content.parts[at];
  const isSigned = call?.["thoughtSignature"] !== undefined;
  if (!needsSignatures || call === undefined || isSigned || content.role !== "model")
    return content;
  reportLoss("messages", "changed: a call without Gemini's thought signature goes unchecked");
  const marked = { ...call, thoughtSignature: NO_SIGNATURE };
  return { ...content, parts: content.parts.toSpliced(at, 1, marked) };
}
