import type { Signature, SignatureOrigin } from "#canonical/signature.ts";

/** Whether this is a Claude model, by id, inference profile or ARN. */
export const isClaude = (model: string): boolean => /anthropic\.|claude/i.test(model);

/**
 * Whose token this is. Answers do not name their model, but Claude's tokens are protocol buffers
 * whose first field is a message: in base64 they start with `E`.
 */
const originOf = (token: string): SignatureOrigin =>
  token.startsWith("E") ? "anthropic" : "bedrock";

export const parseSignature = (token: string): Signature => ({
  origin: originOf(token),
  value: token,
});

/** `redactedContent` is a blob: the bytes of the token that Anthropic itself writes as text. */
export function parseRedacted(blob: string): Signature {
  const token = Buffer.from(blob, "base64").toString("latin1");
  const origin = originOf(token);
  return { origin, value: origin === "anthropic" ? token : blob, redacted: true };
}

export const renderRedacted = ({ origin, value }: Signature): string =>
  origin === "anthropic" ? Buffer.from(value, "latin1").toString("base64") : value;

/** Whether the model takes this token back; others answer 400 to it. */
export function takesSignature(model: string, { origin }: Signature): boolean {
  if (isClaude(model)) return origin === "anthropic";
  // An application inference profile does not tell its model.
  if (/^arn:.*application-inference-profile/.test(model)) return origin === "anthropic";
  return origin === "bedrock";
}
