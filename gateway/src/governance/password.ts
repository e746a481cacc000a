import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { limitConcurrency } from "#lib/limit-concurrency.ts";

interface Parameters {
  /** Logarithm of N, scrypt's cost. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP's second choice (N = 2^15, r = 8, p = 3): 32 MiB and some 200 ms a check. */
const CURRENT: Parameters = { logN: 15, r: 8, p: 3 };
/** A stored hash does not get to ask for more: its parameters are data. */
const MOST: Parameters = { logN: 18, r: 16, p: 8 };

const MIN_CHARACTERS = 12;
const MAX_CHARACTERS = 1_000;
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** Two of the four threads of Node's pool: name look-ups and files need the others. */
const AT_ONCE = 2;
const MAX_WAITING = 50;
const checks = limitConcurrency(AT_ONCE, MAX_WAITING);

/** Throws for what no password may be: too short, too long, or the address that it belongs to. */
export function checkNewPassword(password: string, email: string | null): void {
  const refuse = (message: string): never => {
    throw invalidRequest("password", message);
  };
  const characters = Array.from(password).length;
  if (characters < MIN_CHARACTERS) {
    refuse(`The password needs at least ${MIN_CHARACTERS} characters; a sentence is a good one.`);
  }
  if (characters > MAX_CHARACTERS) refuse(`The password is over ${MAX_CHARACTERS} characters.`);
  if (email !== null && password.trim().toLowerCase() === email) {
    refuse("The password may not be the e-mail address.");
  }
  if (new Set(password).size < 4)
    refuse("The password is the same few characters again and again.");
}

/** `scrypt$15$8$3$salt$hash`: parameters travel with the hash, so that they can grow. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, CURRENT);
  const { logN, r, p } = CURRENT;
  return ["scrypt", logN, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

export interface PasswordCheck {
  readonly isRight: boolean;
  /** The hash was made with less than is asked now: hash the password anew. */
  readonly isOutdated: boolean;
}

/**
 * Compares in constant time. Without a hash (nobody has the address, or signs in otherwise) it takes
 * as long, and is never right.
 */
export async function checkPassword(
  password: string,
  stored: string | null,
): Promise<PasswordCheck> {
  const parsed = stored === null ? undefined : parse(stored);
  const { salt, hash, parameters } = parsed ?? NOBODY;
  const derived = await derive(password, salt, parameters);
  const isEqual = timingSafeEqual(derived, hash);
  return {
    isRight: parsed !== undefined && isEqual && Array.from(password).length <= MAX_CHARACTERS,
    isOutdated: isWeaker(parameters, CURRENT),
  };
}

interface Parsed {
  readonly salt: Buffer;
  readonly hash: Buffer;
  readonly parameters: Parameters;
}

const NOBODY: Parsed = {
  salt: randomBytes(SALT_BYTES),
  hash: randomBytes(HASH_BYTES),
  parameters: CURRENT,
};

function parse(stored: string): Parsed | undefined {
  const [name, logN, r, p, salt = "", hash = ""] = stored.split("$");
  const parameters = { logN: Number(logN), r: Number(r), p: Number(p) };
  const bytes = Buffer.from(hash, "base64url");
  const isKnown = name === "scrypt" && bytes.length === HASH_BYTES;
  if (!isKnown || !isSane(parameters)) return undefined;
  return { salt: Buffer.from(salt, "base64url"), hash: bytes, parameters };
}

const isSane = ({ logN, r, p }: Parameters): boolean =>
  [logN, r, p].every((value) => Number.isInteger(value) && value > 0) &&
  !isWeaker(MOST, { logN, r, p });

const isWeaker = (one: Parameters, other: Parameters): boolean =>
  one.logN < other.logN || one.r < other.r || one.p < other.p;

async function derive(password: string, salt: Buffer, { logN, r, p }: Parameters): Promise<Buffer> {
  const N = 2 ** logN;
  const options = { N, r, p, maxmem: 129 * N * r + 1024 * 1024 };
  // The same characters typed on two systems may be composed differently.
  const text = password.slice(0, 2 * MAX_CHARACTERS).normalize("NFKC");
  const turn = checks.run(() => scryptBytes(text, salt, options));
  if (turn === undefined) {
    throw new GatewayError({
      code: "rate_limited",
      message: "Too many people sign in at this moment. Try again in some seconds.",
      retryAfterMs: 5_000,
    });
  }
  return turn;
}

const scryptBytes = (text: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
