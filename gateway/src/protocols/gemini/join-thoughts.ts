import type { Message, Part } from "#canonical/message.ts";

/**
 * Makes one thought of the pieces that a stream cut it into. Clients keep the parts of a stream as
 * they came, some of them each as a content of its own, and send them back so. But who signs thinking
 * signs the whole of it: the signature comes with the last piece, and Claude answers 400 to a
 * signature under another text.
 */
export function joinThoughts(messages: readonly Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (message.role !== "assistant") joined.push(message);
    else if (last?.role !== "assistant")
      joined.push({ ...message, content: join(message.content) });
    else joined.splice(-1, 1, { ...last, content: join([...last.content, ...message.content]) });
  }
  return joined;
}

function join(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === "reasoning" && last?.type === "reasoning" && isPieceBefore(last, part)) {
      joined.splice(-1, 1, { ...part, text: last.text + part.text });
    } else {
      joined.push(part);
    }
  }
  return joined;
}

/** A redacted thought is whole by itself. */
const isPieceBefore = (
  last: Extract<Part, { type: "reasoning" }>,
  part: Extract<Part, { type: "reasoning" }>,
): boolean => last.signature === undefined && part.signature?.redacted !== true;
