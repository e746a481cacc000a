import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

let pool = Buffer.alloc(0);
let used = 0;

/** Random bytes from a refilled pool: one system call serves hundreds of ids. */
function take(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  const bytes = pool.subarray(used, used + count);
  used += count;
  return bytes;
}

/**
 * A new id that sorts by time: prefix, 9 characters of milliseconds, 13 random characters (65 bits).
 * Crockford's base 32, as ULID.
 */
export function newId(prefix: string, nowMs: number): string {
  let time = "";
  for (let rest = nowMs, at = 0; at < 9; at++, rest = Math.floor(rest / 32)) {
    time = (ALPHABET[rest % 32] as string) + time;
  }
  let random = "";
  for (const byte of take(13)) random += ALPHABET[byte % 32] as string;
  return prefix + time + random;
}
