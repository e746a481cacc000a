import type { Detector, Match } from "#privacy/detect/match.ts";
import { visitNumbers, type NumberRun } from "#privacy/detect/number-run.ts";

const MAX_DIGITS = 19;
/** An issuer's prefix; cards are written in groups of so many digits, the last of any length. */
const PREFIX_DIGITS = 4;

/** Card numbers: an issuer's prefix and length, written as cards are, and Luhn's check digit. */
export const findCards: Detector = (text) => {
  const found: Match[] = [];
  visitNumbers(text, (run) => {
    for (let at = 0; at < run.count; at++) {
      const last = cardFrom(run, at);
      if (last === -1) continue;
      found.push({ type: "card", start: run.starts[at] ?? 0, end: run.ends[last] ?? 0 });
      at = last;
    }
  });
  return found;
};

/** The group with which a card number that begins at `first` ends; -1: none does. */
function cardFrom(run: NumberRun, first: number): number {
  const lengths = lengthsIssued(run, first);
  if (lengths === 0) return -1;
  const start = run.starts[first] ?? 0;
  let digits = 0;
  for (let at = first; at < run.count; at++) {
    if (at > first && !continues(run, at)) break;
    digits += run.lengths[at] ?? 0;
    if (digits > MAX_DIGITS) break;
    const isIssued = (lengths & (1 << digits)) !== 0;
    if (isIssued && passesLuhn(run.text, start, run.ends[at] ?? 0)) return at;
  }
  return -1;
}

/** Which lengths a card may have that begins with a group, as bits; 0: no scheme has such cards. */
function lengthsIssued({ text, starts, lengths }: NumberRun, first: number): number {
  if ((lengths[first] ?? 0) < PREFIX_DIGITS) return 0;
  const start = starts[first] ?? 0;
  return LENGTHS[Number(text.slice(start, start + PREFIX_DIGITS))] ?? 0;
}

/** One sign behind four or more digits. */
function continues({ text, starts, ends }: NumberRun, at: number): boolean {
  const before = ends[at - 1] ?? 0;
  if ((starts[at] ?? 0) - before !== 1) return false;
  const gap = text.charAt(before);
  const isGap = gap === " " || gap === "-" || gap === "\u00a0";
  return isGap && before - (starts[at - 1] ?? 0) >= PREFIX_DIGITS;
}

/** Prefix ranges and lengths of the big schemes. */
const SCHEMES: readonly { from: number; to: number; lengths: readonly number[] }[] = [
  { from: 4000, to: 4999, lengths: [13, 16, 19] },
  { from: 5100, to: 5599, lengths: [16] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 3400, to: 3499, lengths: [15] },
  { from: 3700, to: 3799, lengths: [15] },
  { from: 3000, to: 3059, lengths: [14] },
  { from: 3600, to: 3699, lengths: [14] },
  { from: 3800, to: 3999, lengths: [14] },
  { from: 3528, to: 3589, lengths: [16] },
  { from: 6011, to: 6011, lengths: [16, 19] },
  { from: 6440, to: 6599, lengths: [16, 19] },
  { from: 6200, to: 6299, lengths: [16, 17, 18, 19] },
  { from: 5000, to: 5099, lengths: [16] },
  { from: 5600, to: 5899, lengths: [16] },
];

/** By prefix: the bit of each length that such a card may have. */
const LENGTHS = new Uint32Array(10 ** PREFIX_DIGITS);
for (const { from, to, lengths } of SCHEMES) {
  for (let prefix = from; prefix <= to; prefix++) {
    for (const length of lengths) LENGTHS[prefix] = (LENGTHS[prefix] ?? 0) | (1 << length);
  }
}

const ZERO = 48;

/** ISO/IEC 7812-1, from the last digit on; what is between the digits does not count. */
function passesLuhn(text: string, start: number, end: number): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let at = end - 1; at >= start; at--) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) continue;
    const weighted = isDoubled ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
    isDoubled = !isDoubled;
  }
  return sum % 10 === 0;
}
