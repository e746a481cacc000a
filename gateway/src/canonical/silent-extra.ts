import type { ChatRequest } from "#canonical/chat-request.ts";

/**
 * Whether a member of `extra` may be left out without a loss: the gateway itself keeps answers and
 * continues them, and no other provider stores what it was asked not to store.
 */
export function isSilentExtra({ protocol, extra }: ChatRequest, name: string): boolean {
  if (name === "store") return protocol === "openai-responses" || extra?.["store"] === false;
  return name === "previous_response_id" && protocol === "openai-responses";
}
