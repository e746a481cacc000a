import { createHmac, timingSafeEqual } from "node:crypto";

import { GatewayError } from "#canonical/failure.ts";

export const GATE_PAY_HEADERS = {
  clientId: "X-GatePay-Certificate-ClientId",
  timestamp: "X-GatePay-Timestamp",
  nonce: "X-GatePay-Nonce",
  signature: "X-GatePay-Signature",
  restrictedKey: "X-GatePay-Restricted-Key",
} as const;

interface Signed {
  /** Unix milliseconds, as it is sent. */
  readonly timestamp: string;
  readonly nonce: string;
  /** The very bytes; of a GET there are none. */
  readonly body: string | Buffer;
}

/** Gate Pay's signature, the same in both directions: hexadecimal HMAC-SHA512 of three lines. */
export const signatureOf = (secret: string, { timestamp, nonce, body }: Signed): string =>
  createHmac("sha512", secret)
    .update(`${timestamp}\n${nonce}\n`)
    .update(body)
    .update("\n")
    .digest("hex");

/** How far its clock and ours may be apart. */
const SKEW_MS = 5 * 60 * 1_000;

/** A notification as it came. */
export interface Notification {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Before anything was read of it. */
  readonly body: Buffer;
}

/** Throws `unauthenticated` unless Gate Pay has signed it, for this merchant and just now. */
export function checkSignature(
  { headers, body }: Notification,
  {
    secret,
    clientId,
    now,
  }: { readonly secret: string; readonly clientId: string; readonly now: number },
): void {
  const read = (name: keyof typeof GATE_PAY_HEADERS): string => {
    const value = headers[GATE_PAY_HEADERS[name].toLowerCase()];
    return typeof value === "string" ? value : "";
  };
  const timestamp = read("timestamp");
  const nonce = read("nonce");
  if (!/^\d{13}$/.test(timestamp) || nonce === "") throw refused("timestamp or nonce is missing");
  if (Math.abs(Number(timestamp) - now) > SKEW_MS) throw refused("it is over 5 minutes old");
  // Not signed, and left out by some notifications.
  const named = read("clientId");
  if (named !== "" && named !== clientId) throw refused("it is for another merchant");
  const wanted = Buffer.from(signatureOf(secret, { timestamp, nonce, body }));
  const given = Buffer.from(read("signature").toLowerCase());
  if (secret === "" || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw refused("the signature is wrong");
  }
}

const refused = (reason: string): GatewayError =>
  new GatewayError({
    code: "unauthenticated",
    field: GATE_PAY_HEADERS.signature,
    message: `The notification is not taken: ${reason}.`,
  });
