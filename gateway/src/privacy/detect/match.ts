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

const DIGIT = 1;
const UPPER = 2;
const LOWER = 4;
const HEX = 8;

/** What each ASCII character is. */
const CLASSES = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (char >= "0" && char <= "9") CLASSES[code] = DIGIT | HEX;
  if (char >= "A" && char <= "Z") CLASSES[code] = char <= "F" ? UPPER | HEX : UPPER;
  if (char >= "a" && char <= "z") CLASSES[code] = char <= "f" ? LOWER | HEX : LOWER;
}

const classOf = (text: string, at: number): number => CLASSES[text.charCodeAt(at)] ?? 0;

export const isDigit = (text: string, at: number): boolean => (classOf(text, at) & DIGIT) !== 0;
export const isUpper = (text: string, at: number): boolean => (classOf(text, at) & UPPER) !== 0;
export const isLower = (text: string, at: number): boolean => (classOf(text, at) & LOWER) !== 0;
export const isHex = (text: string, at: number): boolean => (classOf(text, at) & HEX) !== 0;
export const isAlphanumeric = (text: string, at: number): boolean =>
  (classOf(text, at) & (DIGIT | UPPER | LOWER)) !== 0;

const UNDERSCORE = 95;

/** Letters, digits, `_`, and whatever is not ASCII. */
export const isWord = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return isAlphanumeric(text, at) || code === UNDERSCORE || code > 127;
};

/** Where a run of characters that began at `from` ends, at most `limit` further. */
export function runEnd(
  text: string,
  { from, limit }: { readonly from: number; readonly limit: number },
  belongs: (text: string, at: number) => boolean,
): number {
  const last = Math.min(text.length, from + limit);
  let at = from;
  while (at < last && belongs(text, at)) at++;
  return at;
}
