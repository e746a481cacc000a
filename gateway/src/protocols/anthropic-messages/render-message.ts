import type { ChatRequest } from "#canonical/chat-request.ts";
import { messageField } from "#canonical/message-field.ts";
import type { Message } from "#canonical/message.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import { asPlainText, renderPart } from "./render-part.ts";

type Role = "system" | "user" | "assistant";

interface Turn {
  readonly role: Role;
  readonly blocks: JsonObject[];
}

export interface RenderedMessages {
  readonly system?: JsonObject[] | string;
  readonly messages: JsonObject[];
}

const isSystem = ({ role }: Message): boolean => role === "system" || role === "developer";

/** All messages: those of the system at the start become `system`, the others turns. */
export function renderMessages(request: ChatRequest, reportLoss: ReportLoss): RenderedMessages {
  const { messages } = request;
  const leading = messages.findIndex((message) => !isSystem(message));
  const start = leadingSystemCount(leading, messages.length);
  if (leading === -1) {
    reportLoss(
      "messages",
      "changed: without any other turn the last system message is sent as user",
    );
  }
  const turns = messages.map((message, at) =>
    renderTurn({ message, at, start }, request, reportLoss),
  );
  const system = turns.slice(0, start).flatMap(({ blocks }) => blocks);
  const rendered = mergeTurns(turns.slice(start)).map(({ role, blocks }) => ({
    role,
    content: asPlainText(blocks),
  }));
  return {
    ...(system.length > 0 && { system: asPlainText(system) }),
    messages: rendered,
  };
}

/** At least one message must be no system message. */
const leadingSystemCount = (firstOther: number, count: number): number =>
  firstOther === -1 ? Math.max(0, count - 1) : firstOther;

interface Placed {
  readonly message: Message;
  readonly at: number;
  /** How many messages at the start make up `system`. */
  readonly start: number;
}

function renderTurn(placed: Placed, request: ChatRequest, reportLoss: ReportLoss): Turn {
  const { message, at, start } = placed;
  const sameProtocol = request.protocol === "anthropic-messages";
  const role = turnRole(message, sameProtocol || at < start);
  if (isSystem(message) && role === "user" && at > start) {
    reportLoss(
      messageField(request, at),
      "changed: a system message inside the conversation becomes user",
    );
  }
  if (message.name !== undefined)
    reportLoss(`${messageField(request, at)}.name`, "turns have no names");
  const blocks = message.content.flatMap<JsonObject>((part, partAt) => {
    const field = `${messageField(request, at)}.content[${partAt}]`;
    return renderPart(part, { role, field, sameProtocol, reportLoss }) ?? [];
  });
  return { role, blocks };
}

function turnRole(message: Message, keepSystem: boolean): Role {
  if (message.role === "assistant") return "assistant";
  return isSystem(message) && keepSystem ? "system" : "user";
}

const isToolResult = (block: JsonObject): boolean => block["type"] === "tool_result";

/**
 * Turns as the provider wants them: results of parallel calls together in one user turn and first
 * in it (else 400 "tool_use ids were found without tool_result blocks immediately after"), an
 * assistant's calls in one turn, none empty.
 */
function mergeTurns(turns: readonly Turn[]): Turn[] {
  const merged: Turn[] = [];
  for (const turn of turns) {
    if (turn.blocks.length === 0) continue;
    const last = merged.at(-1);
    if (last !== undefined && belongTogether(last, turn)) {
      // Not a new list each time: a long conversation has tens of thousands to be merged.
      for (const block of turn.blocks) last.blocks.push(block);
    } else merged.push({ role: turn.role, blocks: [...turn.blocks] });
  }
  return merged.map(({ role, blocks }) => ({ role, blocks: resultsFirst(blocks) }));
}

function belongTogether(a: Turn, b: Turn): boolean {
  if (a.role !== b.role || a.role === "system") return false;
  return a.role === "assistant" || b.blocks.some(isToolResult) || a.blocks.some(isToolResult);
}

const resultsFirst = (blocks: JsonObject[]): JsonObject[] => [
  ...blocks.filter(isToolResult),
  ...blocks.filter((block) => !isToolResult(block)),
];
