/**
 * Whose models accept an opaque reasoning token back. Claude's are valid on Anthropic, Bedrock and
 * Vertex alike; `bedrock` stands for that service's other models.
 */
export type SignatureOrigin = "anthropic" | "openai" | "gemini" | "bedrock" | "other";

/**
 * An opaque token that a provider wants back unchanged on the next turn: Anthropic's thinking
 * signature or redacted thinking, OpenAI's encrypted reasoning, Gemini's thought signature.
 */
export interface Signature {
  readonly origin: SignatureOrigin;
  readonly value: string;
  /** The id of the provider's item that it belongs to (OpenAI Responses `rs_…`). */
  readonly itemId?: string;
  /** True for Anthropic's `redacted_thinking`, whose whole content is the token. */
  readonly redacted?: boolean;
}

/** Marks a token that has left through a dialect which is not its origin's. */
export const WRAPPED_SIGNATURE_PREFIX = "tp1.";

/**
 * Writes a signature into the one opaque string field that a foreign dialect has for it. The client
 * carries it back like any other token, and `unwrapSignature` finds the origin again.
 */
export function wrapSignature(signature: Signature): string {
  const { origin, value, itemId, redacted } = signature;
  const json = JSON.stringify({ o: origin, v: value, i: itemId, r: redacted });
  return WRAPPED_SIGNATURE_PREFIX + Buffer.from(json).toString("base64url");
}

const ORIGINS: ReadonlySet<string> = new Set(["anthropic", "openai", "gemini", "bedrock", "other"]);

/** Reads an opaque field that came from a client: a wrapped token, or a native one of `origin`. */
export function unwrapSignature(text: string, origin: SignatureOrigin): Signature {
  if (!text.startsWith(WRAPPED_SIGNATURE_PREFIX)) return { origin, value: text };
  try {
    const encoded = text.slice(WRAPPED_SIGNATURE_PREFIX.length);
    const json: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString());
    const { o, v, i, r } = json as Record<string, unknown>;
    if (typeof v !== "string" || typeof o !== "string" || !ORIGINS.has(o)) throw new TypeError();
    return {
      origin: o as SignatureOrigin,
      value: v,
      ...(typeof i === "string" && { itemId: i }),
      ...(r === true && { redacted: true }),
    };
  } catch {
    // Damaged on its way through the client: no provider would take it, so it has no origin.
    return { origin: "other", value: text };
  }
}

/** Text of the signature for a dialect whose own tokens are of `origin`: bare if it is, else wrapped. */
export const signatureText = (signature: Signature, origin: SignatureOrigin): string =>
  signature.origin === origin && !signature.itemId && !signature.redacted
    ? signature.value
    : wrapSignature(signature);
