import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/** What a token is for: the digest of one is worth nothing as the other. */
type Purpose = "session" | "csrf" | "setup" | "invitation" | "admin-key" | "password-reset" | "via";

/** 256 random bits, safe in cookies and URLs. */
export const randomToken = (): string => randomBytes(32).toString("base64url");

/** What is stored and looked up instead of a token; the whole of it counts. */
export const digestOfToken = (pepper: Buffer, purpose: Purpose, token: string): string =>
  createHmac("sha256", pepper).update(`${purpose}\n${token}`).digest("base64url");

/** By what gateways with the same master key know each other in a request's way; opens nothing. */
export const instanceIdOf = (pepper: Buffer): string =>
  digestOfToken(pepper, "via", "").slice(0, 22);

/** Compares two texts in a time that tells nothing of where they differ. */
export function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const ADMIN_PREFIX = "tp-adm-";

/** Makes an admin key: prefix, 256 random bits, and a checksum by which scanners tell it from others. */
export function generateAdminKey(): string {
  const body = randomToken();
  return `${ADMIN_PREFIX}${body}${crc32(body).toString(36).padStart(7, "0")}`;
}

export const isAdminKey = (credential: string): boolean => credential.startsWith(ADMIN_PREFIX);

/** Enough of an admin key to recognise it in a list. */
export const hintOfAdminKey = (key: string): string => `${key.slice(0, 11)}…${key.slice(-4)}`;
