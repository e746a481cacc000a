import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A proof is made right after its 402 came. */
export const NONCE_MS = 5 * 60_000;
const TIME_DIGITS = 12;
const RANDOM_BYTES = 12;
const TAG_DIGITS = 32;
const FORM = /^[0-9a-f]{68}$/;

/** Nonces that only this installation gives out: nothing is stored until one is used. */
export interface WalletNonces {
  make(): string;
  /** When it ends, in Unix milliseconds; `undefined`: it is none, or its time is over. */
  endOf(nonce: string): number | undefined;
}

export function createWalletNonces(secret: Buffer, now: () => number): WalletNonces {
  const tagOf = (text: string): string =>
    createHmac("sha256", secret).update(`wallet-nonce:${text}`).digest("hex").slice(0, TAG_DIGITS);
  return {
    make: () => {
      const time = now().toString(16).padStart(TIME_DIGITS, "0");
      const text = time + randomBytes(RANDOM_BYTES).toString("hex");
      return text + tagOf(text);
    },
    endOf: (nonce) => {
      if (!FORM.test(nonce)) return undefined;
      const text = nonce.slice(0, -TAG_DIGITS);
      const tag = Buffer.from(nonce.slice(-TAG_DIGITS));
      if (!timingSafeEqual(tag, Buffer.from(tagOf(text)))) return undefined;
      const end = Number.parseInt(text.slice(0, TIME_DIGITS), 16) + NONCE_MS;
      return end > now() ? end : undefined;
    },
  };
}
