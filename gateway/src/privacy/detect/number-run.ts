import { isDigit, isWord } from "#privacy/detect/match.ts";

/** Digits that stand together. */
export interface DigitGroup {
  readonly digits: string;
  readonly start: number;
  readonly end: number;
  /** What stands between it and the group before. */
  readonly gap: string;
}

/** Groups of digits with at most three signs between two of them: a number as people write it. */
export interface NumberRun {
  readonly groups: readonly DigitGroup[];
  /** The signs before its first digit: `+`, `(` or both. */
  readonly lead: string;
}

const MAX_GROUPS = 12;
const GAP_SIGNS = " -.()/\u00a0\u2011";

/** All numbers of a text, each digit in one; what a word is glued to is no number. */
export function* numberRuns(text: string): Generator<NumberRun> {
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text, at)) {
      at++;
      continue;
    }
    const { groups, lead, start } = readRun(text, at);
    at = groups.at(-1)?.end ?? at + 1;
    const isGlued = isWord(text, start - 1);
    const whole = groups.slice(isGlued ? 1 : 0, isWord(text, at) ? -1 : undefined);
    const leadOf = isGlued ? "" : lead;
    if (whole.length > 0) yield { groups: whole, lead: leadOf };
  }
}

function readRun(text: string, first: number): NumberRun & { readonly start: number } {
  const groups: DigitGroup[] = [];
  let at = first;
  let gap = "";
  while (groups.length < MAX_GROUPS) {
    const start = at;
    while (isDigit(text, at)) at++;
    groups.push({ digits: text.slice(start, at), start, end: at, gap });
    const next = gapEnd(text, at);
    if (next === at || !isDigit(text, next)) break;
    gap = text.slice(at, next);
    at = next;
  }
  const start = leadStart(text, first);
  return { groups, lead: text.slice(start, first), start };
}

function gapEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && at - from < 3 && GAP_SIGNS.includes(text.charAt(at))) at++;
  return at;
}

function leadStart(text: string, first: number): number {
  let start = first;
  if (text[start - 1] === "(") start--;
  if (text[start - 1] === "+") start--;
  return start;
}
