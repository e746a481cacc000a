import {
  ALPHANUMERICS,
  charSetAndForeign,
  isIn,
  runEnd,
  type Detector,
  type Match,
} from "#privacy/detect/match.ts";

/** RFC 5321 §4.5.3.1. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
const LOCAL_SIGNS = "._%+-'";
const DOMAIN_SIGNS = ".-";

const LOCAL = charSetAndForeign(ALPHANUMERICS + LOCAL_SIGNS);
const DOMAIN = charSetAndForeign(ALPHANUMERICS + DOMAIN_SIGNS);

/** Mail addresses: a local part, a domain with a dot, and a last label of letters. */
export const findEmails: Detector = (text) => {
  const found: Match[] = [];
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    const start = localStart(text, at);
    const end = start === at ? -1 : domainEnd(text, at + 1);
    if (end === -1 || isSshAddress(text, start, end)) continue;
    found.push({ type: "email", start, end });
  }
  return found;
};

function localStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < MAX_LOCAL && isIn(LOCAL, text, start - 1)) start--;
  while (start < at && LOCAL_SIGNS.includes(text.charAt(start))) start++;
  return text.charAt(at - 1) === "." ? at : start;
}

/** -1: it is no domain. */
function domainEnd(text: string, from: number): number {
  let end = runEnd(text, { from, limit: MAX_DOMAIN }, DOMAIN);
  while (end > from && DOMAIN_SIGNS.includes(text.charAt(end - 1))) end--;
  const domain = text.slice(from, end);
  if (!domain.includes(".")) return -1;
  const labels = domain.split(".");
  const last = labels.at(-1) ?? "";
  const isName = last.length >= 2 && !/\d/.test(last);
  const isWhole = labels.every((label) => label !== "");
  // `icon@2x.png` is the name of an image.
  const isScale = /^\d+x$/.test(labels[0] ?? "");
  return isName && isWhole && !isScale ? end : -1;
}

/** `git@github.com:owner/repository`. */
const isSshAddress = (text: string, start: number, end: number): boolean =>
  text.startsWith("git@", start) && text.charAt(end) === ":";
