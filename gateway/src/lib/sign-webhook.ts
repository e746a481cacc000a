import { createHmac, randomBytes } from "node:crypto";

/** Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes. */
const PREFIX = "whsec_";
const SECRET_BYTES = 32;

export const newWebhookSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString("base64");

export interface SignedMessage {
  /** Stays the same at every try: the receiver knows by it what it has had. */
  readonly id: string;
  /** When this try is made, Unix seconds. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers of a message by Standard Webhooks 1.0: HMAC-SHA-256 of `id.timestamp.body` with each
 * secret, so that a receiver verifies with the new one or the old one while it is rotated.
 */
export function signatureHeaders(
  { id, timestamp, body }: SignedMessage,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}
