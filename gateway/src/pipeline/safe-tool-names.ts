import { createHash } from "node:crypto";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Message, Part } from "#canonical/message.ts";
import { flatToolName, type Tool, type ToolChoice } from "#canonical/tool.ts";
import { mapParts, type Adaptation } from "#pipeline/adapt-request.ts";

/**
 * What OpenAI, Anthropic and Bedrock take as a tool's name, and Gemini too; each answers 400 to
 * anything else. MCP servers name tools with dots, slashes and without regard to length.
 */
const SAFE = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/;

const HASH_LENGTH = 8;

/** The same name gives the same result on every turn; the hash keeps two rewritten ones apart. */
export function safeToolName(name: string): string {
  if (SAFE.test(name)) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  const readable = name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").replace(/^[^a-zA-Z_]/, "_$&");
  return `${readable.slice(0, 64 - HASH_LENGTH - 1)}_${hash}`;
}

/** Gives tools names that every provider takes, and their calls the client's own names back. */
export function withSafeToolNames(request: ChatRequest): Adaptation | undefined {
  const originals = unsafeNames(request);
  if (originals.size === 0) return undefined;
  const own = (name: string): string => originals.get(name) ?? name;
  return {
    request: renamed(request),
    restoreResponse: (response) =>
      mapParts(response, (part) =>
        part.type === "tool-call" ? { ...part, name: own(part.name) } : part,
      ),
    createRestorer: () => (event) =>
      event.type === "tool-call-start" ? { ...event, name: own(event.name) } : event,
  };
}

/** The client's names that must not be sent, by what is sent in their place. */
function unsafeNames({ tools = [], messages }: ChatRequest): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const look = (named: { readonly name: string; readonly namespace?: string }): void => {
    const name = flatToolName(named);
    if (!SAFE.test(name)) found.set(safeToolName(name), name);
  };
  for (const tool of tools) if (tool.type !== "server") look(tool);
  for (const { content } of messages) {
    for (const part of content) if (part.type === "tool-call") look(part);
  }
  return found;
}

function renamed(request: ChatRequest): ChatRequest {
  const { tools, toolChoice } = request;
  return {
    ...request,
    messages: request.messages.map(renamedMessage),
    ...(tools !== undefined && { tools: tools.map(renamedTool) }),
    ...(toolChoice !== undefined && { toolChoice: renamedChoice(toolChoice) }),
  };
}

function renamedTool(tool: Tool): Tool {
  if (tool.type === "server" || SAFE.test(flatToolName(tool))) return tool;
  return withSafeName(tool);
}

function renamedChoice(choice: ToolChoice): ToolChoice {
  if (choice.type !== "tool" || SAFE.test(flatToolName(choice))) return choice;
  return withSafeName(choice);
}

const renamedMessage = (message: Message): Message => ({
  ...message,
  content: message.content.map(renamedPart),
});

function renamedPart(part: Part): Part {
  if (part.type === "tool-result" && part.name !== undefined) {
    return { ...part, name: safeToolName(part.name) };
  }
  if (part.type !== "tool-call" || SAFE.test(flatToolName(part))) return part;
  return withSafeName(part);
}

/** The flat name, made safe, stands for name and namespace. */
function withSafeName<Named extends { readonly name: string; readonly namespace?: string }>(
  named: Named,
): Omit<Named, "namespace"> & { readonly name: string } {
  const { namespace: _, ...rest } = named;
  return { ...rest, name: safeToolName(flatToolName(named)) };
}
