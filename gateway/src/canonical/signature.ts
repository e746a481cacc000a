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

/** The one wording of the loss when a provider does not take another one's token back. */
export const foreignSignature = ({ origin }: Pick<Signature, "origin">): string =>
  `a signature made by ${origin} was dropped`;

/**
 * Marks a token that has left through a dialect which is not its origin's. Letters and digits, a
 * multiple of four of them: Google's SDKs in Go, Java and Python read a thought signature as base64
 * and write it anew, some in the URL-safe alphabet, some in the other.
 */
export const WRAPPED_SIGNATURE_PREFIX = "turnpikeSig1";

/** What base64 could write with `+`, `/`, `-` or `_`, in which its alphabets differ. */
const OUTSIDE_BASE62 = /[>?~\x7f-\uffff]/g;

/**
 * Writes a signature into the one opaque string field that a foreign dialect has for it. The client
 * carries it back like any other token, and `unwrapSignature` finds the origin again.
 */
export function wrapSignature(signature: Signature): string {
  const { origin, value, itemId, redacted } = signature;
  const json = JSON.stringify({ o: origin, v: value, i: itemId, r: redacted }).replaceAll(
    OUTSIDE_BASE62,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  // Whole groups of three bytes: no padding that a client could add or cut.
  const padded = json.padEnd(Math.ceil(json.length / 3) * 3);
  return WRAPPED_SIGNATURE_PREFIX + Buffer.from(padded, "latin1").toString("base64");
}

const ORIGINS: ReadonlySet<string> = new Set(["anthropic", "openai", "gemini", "bedrock", "other"]);

/** Reads an opaque field that came from a client: a wrapped token, or a native one of `origin`. */
export function unwrapSignature(text: string, origin: SignatureOrigin): Signature {
  if (!text.startsWith(WRAPPED_SIGNATURE_PREFIX)) return { origin, value: text };
  try {
    const encoded = text.slice(WRAPPED_SIGNATURE_PREFIX.length);
    const json: unknown = JSON.parse(Buffer.from(encoded, "base64").toString());
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
