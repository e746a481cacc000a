import { charSet, DIGITS, isWord } from "#privacy/detect/match.ts";

/** A number as people write it: groups of digits with at most three signs between two of them. */
export interface NumberRun {
  readonly text: string;
  /** How many groups it has. */
  readonly count: number;
  /** Where each group begins and ends; what is behind the first `count` is of another run. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** How many digits each group has; 0 where there is none. */
  readonly lengths: Int32Array;
  /** Where the signs before its first digit begin: `+`, `(` or both. */
  readonly leadStart: number;
}

type Filling = { -readonly [Part in keyof NumberRun]: NumberRun[Part] };

const MAX_GROUPS = 12;
/** Fewer digits are neither a telephone number nor a card's. */
const LEAST_DIGITS = 8;
const MAX_GAP = 3;
/** Whoever looks at what follows a group may look so many further. */
const BEHIND = 4;
const DIGIT = charSet(DIGITS);
const GAP_SIGNS = charSet(" -.()/\u00a0\u2011");

/**
 * Shows all numbers of a text, each digit in one; what a word is glued to is no number. It is the same
 * object each time, with the next number in it: hostile text is nothing but numbers, and objects for
 * each group cost many times what the search costs.
 */
export function visitNumbers(text: string, visit: (run: NumberRun) => void): void {
  const starts = new Int32Array(MAX_GROUPS);
  const ends = new Int32Array(MAX_GROUPS);
  const lengths = new Int32Array(MAX_GROUPS + BEHIND);
  const run: Filling = { text, count: 0, starts, ends, lengths, leadStart: 0 };
  for (let at = 0; at < text.length; at++) {
    if (DIGIT[text.charCodeAt(at)] !== 1) continue;
    const digits = readGroups(run, at);
    const end = ends[run.count - 1] ?? at + 1;
    if (digits >= LEAST_DIGITS) {
      run.leadStart = leadStart(text, at);
      leaveGlued(run, end);
      if (run.count > 0) visit(run);
    }
    at = end - 1;
  }
}

/** The groups from the digit at `first` on; returns how many digits they have. */
function readGroups(run: Filling, first: number): number {
  const { text, starts, ends, lengths } = run;
  let at = first;
  let digits = 0;
  let count = 0;
  while (count < MAX_GROUPS) {
    starts[count] = at;
    const start = at;
    while (DIGIT[text.charCodeAt(at)] === 1) at++;
    ends[count] = at;
    lengths[count] = at - start;
    digits += at - start;
    count++;
    const next = gapEnd(text, at);
    if (next === at || DIGIT[text.charCodeAt(next)] !== 1) break;
    at = next;
  }
  lengths.fill(0, count);
  run.count = count;
  return digits;
}

/** Without the first and last group, where a word touches them. */
function leaveGlued(run: Filling, end: number): void {
  const { text, starts, ends, lengths } = run;
  if (isWord(text, end)) lengths[--run.count] = 0;
  if (!isWord(text, run.leadStart - 1)) return;
  starts.copyWithin(0, 1);
  ends.copyWithin(0, 1);
  lengths.copyWithin(0, 1);
  run.leadStart = starts[0] ?? 0;
  run.count--;
}

function gapEnd(text: string, from: number): number {
  let at = from;
  while (at - from < MAX_GAP && GAP_SIGNS[text.charCodeAt(at)] === 1) at++;
  return at;
}

function leadStart(text: string, first: number): number {
  let start = first;
  if (text[start - 1] === "(") start--;
  if (text[start - 1] === "+") start--;
  return start;
}
