import type { ChatRequest } from "#canonical/chat-request.ts";
import { estimateInputTokens } from "#canonical/estimate-tokens.ts";
import type { Message, Part } from "#canonical/message.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { Modality } from "#catalog/types.ts";
import type { ServiceTier } from "#canonical/usage.ts";
import type { AssessInput } from "#routing/auto/assess.ts";
import type { Needs } from "#routing/candidate.ts";
import { sessionKeyOf } from "#routing/session-memory.ts";

/** What a chat request needs of an endpoint. */
export function chatNeeds(request: ChatRequest, protocol: ClientProtocol): Needs {
  const { tools = [], reasoning, maxOutputTokens } = request;
  const thinks =
    reasoning !== undefined && reasoning.enabled !== false && reasoning.effort !== "none";
  return {
    operation: "chat",
    protocol,
    inputTokens: estimateInputTokens(request),
    modalities: modalitiesOf(request.messages),
    tools: tools.length > 0,
    structuredOutput: wantsJson(request),
    reasoning: thinks,
    inToolLoop: isInToolLoop(request.messages),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(request.serviceTier !== undefined && { tier: tierOf(request.serviceTier) }),
  };
}

/** The price list's name of a client's `service_tier`. */
export function tierOf(tier: string | undefined): ServiceTier {
  return tier === "priority" || tier === "flex" || tier === "batch" ? tier : "default";
}

const wantsJson = ({ outputFormat }: ChatRequest): boolean =>
  outputFormat !== undefined && outputFormat.type !== "text";

/** So much of a text is looked at: its ends tell what is wanted, and a prompt may be megabytes. */
const MAX_TEXT = 16_384;
const MAX_EARLIER = 4_096;

/** A request in the terms of `auto`. Reads slices of a few messages, never the whole conversation. */
export function assessInputOf(request: ChatRequest, needs: Needs): AssessInput {
  const { messages } = request;
  const last = messages.findLastIndex(isUserText);
  const earlier = messages.findLastIndex((message, at) => at < last && isUserText(message));
  const system = messages.find(isSystem);
  return {
    lastUserText: textOf(messages[last], MAX_TEXT),
    systemText: textOf(system, MAX_EARLIER),
    earlierUserText: textOf(messages[earlier], MAX_EARLIER),
    inputTokens: needs.inputTokens,
    turns: messages.reduce((count, { role }) => count + (role === "user" ? 1 : 0), 0),
    toolCount: request.tools?.length ?? 0,
    inToolLoop: needs.inToolLoop === true,
    wantsJson: needs.structuredOutput === true,
    attachments: needs.modalities,
    ...(request.maxOutputTokens !== undefined && { maxOutputTokens: request.maxOutputTokens }),
  };
}

export interface ConversationIds {
  /** The gateway's key. */
  readonly keyId: string;
  /** As the client named the conversation. */
  readonly sessionId: string | undefined;
}

/** Which conversation a request continues. */
export function conversationOf(
  { messages }: ChatRequest,
  { keyId, sessionId }: ConversationIds,
): string {
  const text = (of: (message: Message) => boolean): string =>
    textOf(messages.find(of), MAX_EARLIER);
  return sessionKeyOf({
    keyId,
    ...(sessionId !== undefined && { sessionId }),
    firstSystemText: text(isSystem),
    firstUserText: text(isUserText),
  });
}

const isSystem = ({ role }: Message): boolean => role === "system" || role === "developer";

/** Anthropic's and Gemini's tool results come as messages of the user. */
const isUserText = ({ role, content }: Message): boolean =>
  role === "user" && content.some(({ type }) => type === "text");

/** The last message is a tool's result, or the model's own call: its work is not done. */
function isInToolLoop(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  if (last === undefined) return false;
  return last.role === "tool" || last.content.some(({ type }) => type === "tool-result");
}

/** Beginning and end of a message's text, together at most `limit` characters. */
function textOf(message: Message | undefined, limit: number): string {
  if (message === undefined) return "";
  const texts = message.content.filter((part) => part.type === "text").map(({ text }) => text);
  const [only = ""] = texts;
  if (texts.length <= 1) return ends(only, limit);
  const half = limit / texts.length;
  return texts
    .map((text) => ends(text, Math.max(64, Math.floor(half))))
    .join("\n")
    .slice(0, limit);
}

const ends = (text: string, limit: number): string =>
  text.length <= limit
    ? text
    : `${text.slice(0, Math.ceil((limit * 2) / 3))}\n${text.slice(-Math.floor(limit / 3))}`;

/** Kinds of input beside text, those in tool results too. */
function modalitiesOf(messages: readonly Message[]): readonly Modality[] {
  const found = new Set<Modality>();
  const look = (part: Part): void => {
    if (isMedia(part)) found.add(part.type);
    if (part.type === "tool-result") part.content.forEach(look);
  };
  for (const message of messages) message.content.forEach(look);
  return [...found];
}

const isMedia = (
  part: Part,
): part is Extract<Part, { type: "image" | "audio" | "video" | "file" }> =>
  part.type === "image" || part.type === "audio" || part.type === "video" || part.type === "file";
