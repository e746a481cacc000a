import type { Part, TextPart, ToolCallPart } from "#canonical/message.ts";
import type { Signature } from "#canonical/signature.ts";

/*
 * Gemini signs text and calls, and refuses a call that comes back without its token. Items of this
 * protocol other than reasoning have no place for one: the token travels in a reasoning item of its
 * own behind its owner, which is named where OpenAI's tokens name their item.
 */

/** Names the text before as the owner; calls are named by their ids. */
export const TEXT_OWNER = "text";

/** Puts tokens that came in reasoning items of their own back on the parts that they belong to. */
export function withCarriedSignatures(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const token = carriedToken(part);
    const at = result.findLastIndex((owner) => owns(owner, token));
    const owner = result[at];
    if (token === undefined || owner === undefined) result.push(part);
    else result[at] = signed(owner, token);
  }
  return result;
}

function carriedToken(part: Part): Signature | undefined {
  if (part.type !== "reasoning" || part.text !== "") return undefined;
  return part.signature?.origin === "openai" ? undefined : part.signature;
}

function owns(part: Part, token: Signature | undefined): part is TextPart | ToolCallPart {
  if (token?.itemId === undefined) return false;
  if (part.type === "tool-call") return part.id === token.itemId;
  return part.type === "text" && token.itemId === TEXT_OWNER;
}

function signed(part: Part, { origin, value }: Signature): Part {
  return part.type === "text" || part.type === "tool-call"
    ? { ...part, signature: { origin, value } }
    : part;
}
