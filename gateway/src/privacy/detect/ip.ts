import { isIPv6 } from "node:net";

import {
  charSet,
  DIGITS,
  isHex,
  isIn,
  isWord,
  runEnd,
  type Detector,
  type Match,
} from "#privacy/detect/match.ts";

/** These are nobody's. */
const NOBODYS: ReadonlySet<string> = new Set(["0.0.0.0", "127.0.0.1", "255.255.255.255"]);
const MAX_V4 = 15;
const MAX_V6 = 45;

/** IPv4 and IPv6 addresses; neither loopback addresses nor versions of software. */
export const findIps: Detector = (text) => [...findV4(text), ...findV6(text)];

/** Of either kind: `1.1.1.1`; shorter ones of the second are code. */
const LEAST = 7;

const V4_SIGNS = charSet(`${DIGITS}.`);

function findV4(text: string): Match[] {
  const found: Match[] = [];
  for (let dot = text.indexOf("."); dot !== -1;) {
    let start = dot;
    while (start > 0 && dot - start <= MAX_V4 && isIn(V4_SIGNS, text, start - 1)) start--;
    let end = runEnd(text, { from: dot, limit: text.length }, V4_SIGNS);
    const next = end;
    while (end > start && text[end - 1] === ".") end--;
    if (isV4(text, start, end)) found.push({ type: "ip", start, end });
    dot = text.indexOf(".", next);
  }
  return found;
}

function isV4(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length < LEAST || length > MAX_V4 || isWord(text, start - 1) || isWord(text, end))
    return false;
  const address = text.slice(start, end);
  return isAddress(address) && !NOBODYS.has(address) && !isVersion(text, start);
}

function isAddress(text: string): boolean {
  const parts = text.split(".");
  const isOctet = (part: string): boolean =>
    part !== "" && part.length <= 3 && Number(part) <= 255 && String(Number(part)) === part;
  return parts.length === 4 && parts.every(isOctet);
}

const VERSION_WORD = /(?:version|release|build|ver\.?)[ :=]{0,2}$/i;

const isVersion = (text: string, start: number): boolean =>
  VERSION_WORD.test(text.slice(Math.max(0, start - 12), start));

const V6_SIGNS = charSet(`${DIGITS}ABCDEFabcdef:.`);

function findV6(text: string): Match[] {
  const found: Match[] = [];
  let floor = 0;
  for (let colon = text.indexOf(":"); colon !== -1;) {
    let start = colon;
    while (start > floor && isHex(text, start - 1)) start--;
    const next = runEnd(text, { from: colon, limit: text.length }, V6_SIGNS);
    let end = next;
    while (
      end > start &&
      (text[end - 1] === "." || (text[end - 1] === ":" && text[end - 2] !== ":"))
    )
      end--;
    if (isV6(text, start, end)) found.push({ type: "ip", start, end });
    floor = next;
    colon = text.indexOf(":", next);
  }
  return found;
}

function isV6(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length < LEAST || length > MAX_V6 || isWord(text, start - 1) || isWord(text, end))
    return false;
  return isSomebodys(text.slice(start, end));
}

/** `a::b` is code; `::1` is everybody's own machine. */
function isSomebodys(text: string): boolean {
  const groups = text.split(":").filter((group) => group !== "");
  return groups.length >= 2 && /\d/.test(text) && isIPv6(text);
}
