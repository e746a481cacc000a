import type { Detector, Match } from "#privacy/detect/match.ts";
import { visitNumbers, type NumberRun } from "#privacy/detect/number-run.ts";

/** ITU-T E.164: at most 15 digits. */
const MAX_DIGITS = 15;

/**
 * Telephone numbers: E.164 with its plus or as 00…, North American ones, and national ones with a
 * trunk zero (most of Europe, Japan, Australia) or an area code in brackets.
 */
export const findPhones: Detector = (text) => {
  const found: Match[] = [];
  visitNumbers(text, (run) => {
    for (let at = 0; at < run.count; at++) {
      const start = phoneStart(run, at);
      const count = start === -1 ? 0 : phoneGroups(run, at, text.slice(start, run.starts[at]));
      if (count === 0) continue;
      found.push({ type: "phone", start, end: run.ends[at + count - 1] ?? start });
      at += count - 1;
    }
  });
  return found;
};

/** Where a number that begins with a group begins, signs included: it stands first, or after a space. */
function phoneStart({ text, starts, ends, leadStart }: NumberRun, at: number): number {
  if (at === 0) return leadStart;
  const start = starts[at] ?? 0;
  if (text[ends[at - 1] ?? 0] !== " ") return -1;
  return text[start - 1] === "(" ? start - 1 : start;
}

/** How many groups of a run, from one on, are a number; 0: it is none. */
function phoneGroups(run: NumberRun, from: number, lead: string): number {
  const zeros = leadingZeros(run, from);
  if (lead.startsWith("+")) return zeros > 0 ? 0 : longest(run, from, E164);
  if (zeros === 2 && lengthOf(run, from) > 2) return longest(run, from, E164_DIALLED);
  if (isDate(run, from)) return 0;
  const american = northAmerican(run, from);
  if (american > 0) return american;
  if (lead === "(" && from + 1 < run.count && gapBefore(run, from + 1).startsWith(")")) {
    return bracketed(run, from);
  }
  return zeros === 1 && lengthOf(run, from) > 1 ? national(run, from) : 0;
}

/** How many zeros a group begins with; 3 stands for more. */
function leadingZeros(run: NumberRun, at: number): number {
  const most = Math.min(3, lengthOf(run, at));
  let zeros = 0;
  while (zeros < most && digitOf(run, at, zeros) === 0) zeros++;
  return zeros;
}

/** How many digits the groups of a number have together. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

const E164: Bounds = { least: 8, most: MAX_DIGITS };
/** With two zeros for the plus, and one digit more at the least. */
const E164_DIALLED: Bounds = { least: 11, most: MAX_DIGITS + 2 };
const BRACKETED: Bounds = { least: 8, most: 12 };
const NATIONAL: Bounds = { least: 9, most: 12 };

/** The most groups whose digits together are within bounds. */
function longest(run: NumberRun, from: number, { least, most }: Bounds): number {
  let digits = 0;
  let count = 0;
  for (let at = from; at < run.count; at++) {
    digits += lengthOf(run, at);
    if (digits > most) break;
    if (digits >= least) count = at - from + 1;
  }
  return count;
}

/** `(212) 555-0123`, `1-212-555-0123`, `212.555.0123`; never three digits, three, four of a sum. */
function northAmerican(run: NumberRun, from: number): number {
  const skip = lengthOf(run, from) === 1 && digitOf(run, from, 0) === 1 ? 1 : 0;
  const area = from + skip;
  const fits = isCode(run, area) && isCode(run, area + 1) && lengthOf(run, area + 2) === 4;
  return fits ? skip + 3 : 0;
}

/** Area codes and exchanges. */
const isCode = (run: NumberRun, at: number): boolean =>
  lengthOf(run, at) === 3 && digitOf(run, at, 0) >= 2;

/** `(11) 91234-5678`, `(030) 1234567`. */
function bracketed(run: NumberRun, from: number): number {
  const area = lengthOf(run, from);
  return area >= 2 && area <= 5 ? longest(run, from, BRACKETED) : 0;
}

const MOBILE = /^(?:07\d{9}|0[67]\d{8}|01[567]\d{8,9})$/;
const MOST_MOBILE = 12;

/** With a trunk zero: in groups, or a mobile number in one. */
function national(run: NumberRun, from: number): number {
  const { text, starts, ends, count } = run;
  const isShort = lengthOf(run, from) <= MOST_MOBILE;
  if (isShort && MOBILE.test(text.slice(starts[from], ends[from]))) return 1;
  const groups = count - from;
  if (groups < 2 || (isDotted(run, from) && !(groups >= 5 && isPairs(run, from)))) return 0;
  return longest(run, from, NATIONAL);
}

function isDotted(run: NumberRun, from: number): boolean {
  const { text, starts, ends, count } = run;
  for (let at = from + 1; at < count; at++) {
    const before = ends[at - 1] ?? 0;
    if (text[before] === "." && starts[at] === before + 1) return true;
  }
  return false;
}

function isPairs(run: NumberRun, from: number): boolean {
  for (let at = from; at < from + 5; at++) if (lengthOf(run, at) !== 2) return false;
  return true;
}

/** `01.02.2026`, `01/02/26 10`. */
function isDate(run: NumberRun, from: number): boolean {
  if (lengthOf(run, from) > 2 || lengthOf(run, from + 2) !== 4) return false;
  const month = lengthOf(run, from + 1);
  const century = digitOf(run, from + 2, 0) * 10 + digitOf(run, from + 2, 1);
  if (month > 2 || (century !== 19 && century !== 20)) return false;
  const gap = gapBefore(run, from + 1);
  return "./-".includes(gap) && gap === gapBefore(run, from + 2);
}

/** What stands between a group and the one before. */
const gapBefore = ({ text, starts, ends }: NumberRun, at: number): string =>
  text.slice(ends[at - 1], starts[at]);

/** How many digits a group has; 0: there is no such group. */
const lengthOf = ({ lengths }: NumberRun, at: number): number => lengths[at] ?? 0;

const ZERO = 48;

const digitOf = ({ text, starts }: NumberRun, at: number, place: number): number =>
  text.charCodeAt((starts[at] ?? 0) + place) - ZERO;
