import type { JsonObject } from "#lib/json.ts";
import type { Message, Part } from "#canonical/message.ts";
import { renderBlocks } from "./render-block.ts";
import type { BlockContext } from "./render-media.ts";

interface Turn {
  readonly role: "user" | "assistant";
  readonly content: JsonObject[];
}

const isSystem = ({ role }: Message): boolean => role === "system" || role === "developer";

/** The conversation as `system` and alternating turns: neighbours of one role become one turn. */
export function renderConversation(
  messages: readonly Message[],
  context: BlockContext,
): { system: JsonObject[]; turns: readonly Turn[] } {
  const first = messages.findIndex((message) => !isSystem(message));
  const leading = first === -1 ? messages.length : first;
  const system = messages
    .slice(0, leading)
    .flatMap(({ content }) => renderSystem(content, context));
  const turns: Turn[] = [];
  for (const message of messages.slice(leading)) {
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = message.content.flatMap((part) => renderBlocks(part, context));
    if (isSystem(message)) {
      context.reportLoss("messages", "changed: a later system message became part of a user turn");
    }
    if (message.name !== undefined)
      context.reportLoss("messages.name", "messages have no name here");
    addTurn(turns, { role, content });
  }
  return { system, turns };
}

function renderSystem(content: readonly Part[], context: BlockContext): JsonObject[] {
  return content.flatMap((part) => {
    if (part.type === "text" || part.type === "native") return renderBlocks(part, context);
    context.reportLoss("system", `${part.type} has no place in the system prompt; dropped`);
    return [];
  });
}

function addTurn(turns: Turn[], { role, content }: Turn): void {
  if (content.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...content);
  else turns.push({ role, content });
}
