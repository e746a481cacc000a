import {
  ALPHANUMERICS,
  charSet,
  charSetWithout,
  isAlphanumeric,
  isDigit,
  isLower,
  isUpper,
  isWord,
  runEnd,
  type Detector,
  type Match,
} from "#privacy/detect/match.ts";
import { SECRET_PREFIXES, type SecretPrefix } from "#privacy/detect/secret-prefixes.ts";

/** Keys of vendors, tokens, private keys, passwords that are named so, and what is too random for words. */
export const findSecrets: Detector = (text) => [
  ...findPrivateKeys(text),
  ...findTokens(text),
  ...findRandom(text),
  ...findAssigned(text),
  ...findUrlPasswords(text),
];

const secret = (start: number, end: number): Match => ({ type: "secret", start, end });

/** PEM (RFC 7468) of private keys; one without an end is taken to the text's end. */
function findPrivateKeys(text: string): Match[] {
  const found: Match[] = [];
  let at = text.indexOf(PEM_BEGIN);
  while (at !== -1) {
    const label = text.slice(at + PEM_BEGIN.length, at + 50);
    if (!/^[A-Z ]{0,24}PRIVATE KEY/.test(label)) {
      at = text.indexOf(PEM_BEGIN, at + PEM_BEGIN.length);
      continue;
    }
    const close = text.indexOf(PEM_END, at);
    const stop = close === -1 ? -1 : text.indexOf("-----", close + PEM_END.length);
    const end = stop === -1 ? text.length : stop + 5;
    found.push(secret(at, end));
    at = text.indexOf(PEM_BEGIN, end);
  }
  return found;
}

const PEM_BEGIN = "-----BEGIN ";
const PEM_END = "-----END ";

const TOKEN_STARTS = charSet(ALPHANUMERICS);
const TOKEN_SIGNS = charSet(`${ALPHANUMERICS}_-.`);

/** By prefix: each vendor's keys begin alike. */
function findTokens(text: string): Match[] {
  const found: Match[] = [];
  for (let at = 0; at < text.length; at++) {
    if (TOKEN_STARTS[text.charCodeAt(at)] !== 1) continue;
    let end = runEnd(text, { from: at, limit: text.length }, TOKEN_SIGNS);
    const next = end;
    while (end > at && !isAlphanumeric(text, end - 1)) end--;
    if (end - at >= MIN_TOKEN) {
      const token = text.slice(at, Math.min(end, at + MAX_TOKEN));
      if (isKnown(token) || isJwt(token) || isBearer(text, at, token)) found.push(secret(at, end));
    }
    at = next;
  }
  return found;
}

/** None of any kind is shorter. */
const MIN_TOKEN = 16;
const MAX_TOKEN = 8_192;

const BY_FIRST = Map.groupBy(SECRET_PREFIXES, ({ prefix }) => prefix.charAt(0));

function isKnown(token: string): boolean {
  const candidates = BY_FIRST.get(token.charAt(0)) ?? [];
  return candidates.some(
    (candidate) => token.startsWith(candidate.prefix) && fits(token, candidate),
  );
}

function fits(token: string, { prefix, least, upperOnly, anyWords }: SecretPrefix): boolean {
  const body = token.slice(prefix.length);
  if (body.length < least) return false;
  if (upperOnly === true)
    return /^[A-Z0-9]+$/.test(body.slice(0, least + 1)) && body.length <= least + 4;
  return anyWords === true || /\d/.test(body);
}

/** RFC 7519; `eyJ` is base64url of `{"`. Claims without a signature tell enough. */
function isJwt(token: string): boolean {
  if (!token.startsWith("eyJ")) return false;
  const [head = "", claims = ""] = token.split(".", 3);
  return head.length >= 10 && claims.length >= 10;
}

function isBearer(text: string, start: number, token: string): boolean {
  if (!/\d/.test(token)) return false;
  return /(?:bearer|basic) {1,2}$/i.test(text.slice(Math.max(0, start - 8), start));
}

const BASE64_SIGNS = charSet(`${ALPHANUMERICS}+/_-`);

const MIN_RANDOM = 24;
/** Longer ones are data: pictures, archives. */
const MAX_RANDOM = 256;

/** Ids of requests and calls, which are random and open nothing. */
const OPEN_IDS =
  /^(?:toolu|call|msg|resp|req|rs|fc|chatcmpl|cmpl|run|thread|asst|file|batch|org|proj|key|user|gen|srvtoolu|item|ws|in|pi|cs|evt|cus|price|prod|sub|ch|acct)[_-]/;

function findRandom(text: string): Match[] {
  const found: Match[] = [];
  for (let at = 0; at < text.length; at++) {
    if (BASE64_SIGNS[text.charCodeAt(at)] !== 1) continue;
    const end = runEnd(text, { from: at, limit: text.length }, BASE64_SIGNS);
    const length = end - at;
    if (length >= MIN_RANDOM && length <= MAX_RANDOM) {
      const isBounded = !isWord(text, at - 1) && !isWord(text, end);
      if (isBounded && isRandom(text.slice(at, end)))
        found.push(secret(at, text[end] === "=" ? end + 1 : end));
    }
    at = end;
  }
  return found;
}

/** Words have few digits, and those together; random text has them spread among both cases. */
function isRandom(token: string): boolean {
  if (OPEN_IDS.test(token)) return false;
  const longest = token.split(/[/_-]/).toSorted((a, b) => b.length - a.length)[0] ?? "";
  if (longest.length < 18) return false;
  let [upper, lower, digitGroups] = [0, 0, 0];
  for (let at = 0; at < token.length; at++) {
    if (isUpper(token, at)) upper++;
    else if (isLower(token, at)) lower++;
    else if (isDigit(token, at) && !isDigit(token, at - 1)) digitGroups++;
  }
  return upper >= 4 && lower >= 4 && digitGroups >= 3 && entropyBits(token) >= 3.6;
}

/** Shannon's, in bits a character. */
function entropyBits(token: string): number {
  const counts = new Map<string, number>();
  for (const char of token) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / token.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

/** One alternative after the other, nothing repeated: linear. */
const NAMES = /password|passwd|passphrase|pwd|secret|token|api[_ -]?key|access[_-]?key/gi;
const MAX_VALUE = 256;
/** Whatever does not stand in a password that is written down: spaces, quotes, what ends a value in code. */
const VALUE_SIGNS = charSetWithout("\t\n\r \"'),;<>\\]`}");

/** `password: hunter2!`, `"api_key": "…"`, `export TOKEN=…`. */
function findAssigned(text: string): Match[] {
  const found: Match[] = [];
  let floor = 0;
  for (const match of text.matchAll(NAMES)) {
    const start = valueStart(text, match.index + match[0].length);
    // What is said once more within a value is part of it; what it names beyond that value is not.
    if (start === -1 || start < floor) continue;
    const end = runEnd(text, { from: start, limit: MAX_VALUE }, VALUE_SIGNS);
    const isSecret = looksSecret(text.slice(start, end));
    if (isSecret) found.push(secret(start, end));
    if (isSecret || end - start === MAX_VALUE) floor = end;
  }
  return found;
}

/** Behind `:`, `=` or "is", whatever quotes are between; -1: nothing is assigned. */
function valueStart(text: string, from: number): number {
  const ahead = text.slice(from, from + 12);
  const assigned = /^[a-z_]{0,4}\\?["'`]?\s{0,2}(?:[:=]|=>| is )\s{0,2}\\?["'`]?/i.exec(ahead);
  return assigned === null ? -1 : from + assigned[0].length;
}

const looksSecret = (value: string): boolean =>
  value.length >= 8 &&
  !/^[$<{[(]/.test(value) &&
  !value.includes("(") &&
  !value.includes("://") &&
  /[\d!@#%^&*]/.test(value) &&
  /[a-z]/i.test(value);

const MAX_AUTHORITY = 256;
const AUTHORITY_SIGNS = charSetWithout("@/ \n\"'<>");

/** `https://user:password@host`. */
function findUrlPasswords(text: string): Match[] {
  const found: Match[] = [];
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", at + 3)) {
    const from = at + 3;
    const end = runEnd(text, { from, limit: MAX_AUTHORITY }, AUTHORITY_SIGNS);
    const colon = text[end] === "@" ? text.indexOf(":", from) : -1;
    if (colon !== -1 && colon + 1 < end) found.push(secret(colon + 1, end));
  }
  return found;
}
