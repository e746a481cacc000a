import {
  isAlphanumeric,
  isDigit,
  isUpper,
  isWord,
  type Detector,
  type Match,
} from "#privacy/detect/match.ts";

/** Lengths from the IBAN registry (SWIFT, release 97). */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    AD: 24,
    AE: 23,
    AL: 28,
    AT: 20,
    AZ: 28,
    BA: 20,
    BE: 16,
    BG: 22,
    BH: 22,
    BR: 29,
    BY: 28,
    CH: 21,
    CR: 22,
    CY: 28,
    CZ: 24,
    DE: 22,
    DK: 18,
    DO: 28,
    EE: 20,
    EG: 29,
    ES: 24,
    FI: 18,
    FO: 18,
    FR: 27,
    GB: 22,
    GE: 22,
    GI: 23,
    GL: 18,
    GR: 27,
    GT: 28,
    HR: 21,
    HU: 28,
    IE: 22,
    IL: 23,
    IQ: 23,
    IS: 26,
    IT: 27,
    JO: 30,
    KW: 30,
    KZ: 20,
    LB: 28,
    LC: 32,
    LI: 21,
    LT: 20,
    LU: 20,
    LV: 21,
    LY: 25,
    MC: 27,
    MD: 24,
    ME: 22,
    MK: 19,
    MR: 27,
    MT: 31,
    MU: 30,
    NL: 18,
    NO: 15,
    PK: 24,
    PL: 28,
    PS: 29,
    PT: 25,
    QA: 29,
    RO: 24,
    RS: 22,
    SA: 24,
    SC: 31,
    SD: 18,
    SE: 24,
    SI: 19,
    SK: 24,
    SM: 27,
    ST: 25,
    SV: 28,
    TL: 23,
    TN: 24,
    TR: 26,
    UA: 29,
    VA: 22,
    VG: 24,
    XK: 20,
  }),
);

/** Account numbers of a known country, of its length, whose check digits are right (ISO 13616). */
export const findIbans: Detector = (text) => {
  const found: Match[] = [];
  for (let at = 0; at + 14 < text.length; at++) {
    if (!isUpper(text, at) || !isUpper(text, at + 1) || !isDigit(text, at + 2)) continue;
    if (!isDigit(text, at + 3) || (at > 0 && isWord(text, at - 1))) continue;
    const length = LENGTHS.get(text.slice(at, at + 2));
    const end = length === undefined ? -1 : ibanEnd(text, at, length);
    if (end === -1) continue;
    found.push({ type: "iban", start: at, end });
    at = end - 1;
  }
  return found;
};

/** -1: it is none. */
function ibanEnd(text: string, start: number, length: number): number {
  let compact = "";
  let at = start;
  for (; compact.length < length && at < text.length; at++) {
    if (isAlphanumeric(text, at)) compact += text.charAt(at);
    else if (!" -\u00a0".includes(text.charAt(at)) || !isAlphanumeric(text, at + 1)) return -1;
  }
  if (compact.length < length || isWord(text, at)) return -1;
  return remainder(compact.toUpperCase()) === 1 ? at : -1;
}

/** ISO 7064 mod 97-10, letters as two digits. */
function remainder(iban: string): number {
  let rest = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
