export const PERSONAL_DATA = ["email", "phone", "iban", "card", "ip", "secret"] as const;
export type PersonalData = (typeof PERSONAL_DATA)[number];

/** Where something stands in a text. */
export interface Match {
  readonly type: PersonalData;
  readonly start: number;
  readonly end: number;
}

/** Finds one kind of thing. Takes time in proportion to the text, whatever is in it. */
export type Detector = (text: string) => Match[];

/** Characters, by code: one look-up tells whether a character is among them. */
export type CharSet = Uint8Array;

const CODES = 65_536;
const ASCII = 128;

export const DIGITS = "0123456789";
const UPPERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWERS = UPPERS.toLowerCase();
export const ALPHANUMERICS = DIGITS + UPPERS + LOWERS;

/** The set of these signs. */
export function charSet(signs: string): CharSet {
  const set = new Uint8Array(CODES);
  for (let at = 0; at < signs.length; at++) set[signs.charCodeAt(at)] = 1;
  return set;
}

/** These signs, and whatever is not ASCII. */
export const charSetAndForeign = (signs: string): CharSet => charSet(signs).fill(1, ASCII);

/** All but these signs. */
export const charSetWithout = (signs: string): CharSet => charSet(signs).map((is) => 1 - is);

/** Whether the character there is of the set; none is before the text's begin or behind its end. */
export const isIn = (set: CharSet, text: string, at: number): boolean =>
  set[text.charCodeAt(at)] === 1;

const DIGIT = charSet(DIGITS);
const UPPER = charSet(UPPERS);
const LOWER = charSet(LOWERS);
const HEX = charSet(`${DIGITS}ABCDEFabcdef`);
const ALPHANUMERIC = charSet(ALPHANUMERICS);
const WORD = charSetAndForeign(`${ALPHANUMERICS}_`);

export const isDigit = (text: string, at: number): boolean => isIn(DIGIT, text, at);
export const isUpper = (text: string, at: number): boolean => isIn(UPPER, text, at);
export const isLower = (text: string, at: number): boolean => isIn(LOWER, text, at);
export const isHex = (text: string, at: number): boolean => isIn(HEX, text, at);
export const isAlphanumeric = (text: string, at: number): boolean => isIn(ALPHANUMERIC, text, at);
/** Letters, digits, `_`, and whatever is not ASCII. */
export const isWord = (text: string, at: number): boolean => isIn(WORD, text, at);

/** Where a run of characters that began at `from` ends, at most `limit` further. */
export function runEnd(
  text: string,
  { from, limit }: { readonly from: number; readonly limit: number },
  set: CharSet,
): number {
  const last = Math.min(text.length, from + limit);
  let at = from;
  while (at < last && isIn(set, text, at)) at++;
  return at;
}
