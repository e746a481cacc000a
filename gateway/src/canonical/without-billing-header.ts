import type { Message } from "#canonical/message.ts";

const PREFIX = "x-anthropic-billing-header:";

/**
 * The messages without the first system block by which Claude Code signs its requests. It holds a
 * hash that changes with the prompt: any other provider's prompt cache would never hit.
 */
export function withoutBillingHeader(messages: readonly Message[]): readonly Message[] {
  const [first, ...others] = messages;
  const [part, ...parts] = first?.content ?? [];
  if (first?.role !== "system" || part?.type !== "text" || !part.text.startsWith(PREFIX)) {
    return messages;
  }
  return parts.length === 0 ? others : [{ ...first, content: parts }, ...others];
}
