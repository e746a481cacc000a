import { createHmac, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const PREFIX = "sk-tp-";

/** Makes a key: prefix, 256 random bits, and a checksum by which scanners and typos are told apart. */
export function generateApiKey(): string {
  const body = randomBytes(32).toString("base64url");
  return `${PREFIX}${body}${checksum(body)}`;
}

/** Whether it is a key of ours that was cut or mistyped: no look-up would find it. */
export function isDamaged(key: string): boolean {
  if (!key.startsWith(PREFIX)) return false;
  const body = key.slice(PREFIX.length, -CHECKSUM_LENGTH);
  return key.slice(-CHECKSUM_LENGTH) !== checksum(body);
}

const CHECKSUM_LENGTH = 7;

const checksum = (body: string): string => crc32(body).toString(36).padStart(7, "0");

/** What is stored and looked up instead of the key. */
export const digestOf = (key: string, pepper: Buffer): string =>
  createHmac("sha256", pepper).update(key).digest("hex");

/** Enough of a key to recognise it in a list. */
export const hintOf = (key: string): string =>
  `${key.slice(0, key.startsWith(PREFIX) ? 10 : 4)}…${key.slice(-4)}`;
