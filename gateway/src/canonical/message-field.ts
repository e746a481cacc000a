import type { ChatRequest } from "#canonical/chat-request.ts";

/**
 * A message's path in the client's own request, for losses. Clients of Anthropic and Gemini write
 * the system prompt in a field of its own, which is the first message here.
 */
export function messageField({ protocol, messages }: ChatRequest, at: number): string {
  if (protocol !== "anthropic-messages" && protocol !== "gemini") return `messages[${at}]`;
  const list = protocol === "gemini" ? "contents" : "messages";
  if (messages[0]?.role !== "system") return `${list}[${at}]`;
  if (at > 0) return `${list}[${at - 1}]`;
  return protocol === "gemini" ? "systemInstruction" : "system";
}
