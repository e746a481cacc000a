import type { Part } from "#canonical/message.ts";
import type { Signature } from "#canonical/signature.ts";

/*
 * Gemini signs text and calls, and refuses a call that comes back without its token. OpenAI
 * Responses and Anthropic have a place for tokens on reasoning alone: there the token travels in a
 * reasoning of its own, which names its owner where OpenAI's tokens name their item. It stands
 * before a call in Anthropic's protocol, whose clients drop thinking at the end of a message, and
 * behind its owner in OpenAI's.
 */

/** Names the text before as the owner; calls are named by their ids. */
export const TEXT_OWNER = "text";

/** The token of a call or text as the reasoning that carries it. */
export const carriedSignature = (signature: Signature, owner: string): Signature => ({
  ...signature,
  itemId: owner,
});

/**
 * Puts tokens that came in a reasoning of their own back on the parts that they belong to. One
 * whose owner is gone is left out: nobody takes it alone.
 */
export function withCarriedSignatures(parts: readonly Part[]): Part[] {
  const result = [...parts];
  for (const part of parts) {
    const token = carriedToken(part);
    if (token === undefined) continue;
    const own = result.indexOf(part);
    const at = ownerOf(result, token.itemId, own);
    const owner = result[at];
    if (owner !== undefined) result[at] = signed(owner, token);
    result.splice(own, 1);
  }
  return result;
}

function carriedToken(part: Part): Signature | undefined {
  if (part.type !== "reasoning" || part.text !== "") return undefined;
  const { signature } = part;
  return signature?.origin === "openai" || signature?.itemId === undefined ? undefined : signature;
}

/** A call is found by its id wherever it stands; a text is the nearest one before. */
function ownerOf(parts: readonly Part[], owner: string | undefined, before: number): number {
  return owner === TEXT_OWNER
    ? parts.findLastIndex(({ type }, at) => type === "text" && at < before)
    : parts.findIndex((part) => part.type === "tool-call" && part.id === owner);
}

function signed(part: Part, { origin, value }: Signature): Part {
  return part.type === "text" || part.type === "tool-call"
    ? { ...part, signature: { origin, value } }
    : part;
}
