import type { Detector, Match } from "#privacy/detect/match.ts";
import { numberRuns, type DigitGroup } from "#privacy/detect/number-run.ts";

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;

/** Card numbers: an issuer's prefix and length, written as cards are, and Luhn's check digit. */
export const findCards: Detector = (text) => {
  const found: Match[] = [];
  for (const { groups } of numberRuns(text)) {
    for (let at = 0; at < groups.length; at++) {
      const last = cardFrom(groups, at);
      if (last === undefined) continue;
      found.push({ type: "card", start: groups[at]?.start ?? 0, end: groups[last]?.end ?? 0 });
      at = last;
    }
  }
  return found;
};

/** The group with which a card number that begins at `first` ends. */
function cardFrom(groups: readonly DigitGroup[], first: number): number | undefined {
  let digits = "";
  for (let at = first; at < groups.length; at++) {
    if (at > first && !continues(groups[at - 1], groups[at])) break;
    digits += groups[at]?.digits ?? "";
    if (digits.length > MAX_DIGITS) break;
    if (digits.length >= MIN_DIGITS && isIssued(digits) && passesLuhn(digits)) return at;
  }
  return undefined;
}

/** Several groups: of four or more digits, the last of any length. */
const continues = (before: DigitGroup | undefined, { gap }: DigitGroup = NO_GROUP): boolean =>
  (gap === " " || gap === "-" || gap === "\u00a0") && (before?.digits.length ?? 0) >= 4;

const NO_GROUP: DigitGroup = { digits: "", start: 0, end: 0, gap: "" };

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

function isIssued(digits: string): boolean {
  const prefix = Number(digits.slice(0, 4));
  return SCHEMES.some(
    ({ from, to, lengths }) => prefix >= from && prefix <= to && lengths.includes(digits.length),
  );
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const weighted = at % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}
