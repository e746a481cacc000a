import { isAlphanumeric } from "#privacy/detect/match.ts";
import type { PersonalData } from "#privacy/detect/match.ts";
import { findPersonalData, replaceMatches } from "#privacy/redact.ts";

/** What a guardrail says of a text. */
export type Verdict =
  | { readonly action: "allow" }
  | { readonly action: "redact"; readonly text: string }
  /** Never quotes the text. */
  | { readonly action: "block"; readonly reason: string };

const ALLOW: Verdict = { action: "allow" };

export function checkPersonalData(
  text: string,
  {
    action,
    types,
  }: { readonly action: "redact" | "block"; readonly types?: readonly PersonalData[] | undefined },
): Verdict {
  const matches = findPersonalData(text, types);
  if (matches.length === 0) return ALLOW;
  if (action === "redact") return { action: "redact", text: replaceMatches(text, matches) };
  const kinds = [...new Set(matches.map(({ type }) => type))].join(", ");
  return { action: "block", reason: `it holds personal data or secrets (${kinds})` };
}

/** Without regard to case and compatibility forms; words stand by themselves. */
export const checkKeywords = (text: string, words: readonly string[]): Verdict =>
  hasKeyword(text, words)
    ? { action: "block", reason: "it holds a word that is not allowed" }
    : ALLOW;

function hasKeyword(text: string, words: readonly string[]): boolean {
  const folded = fold(text);
  return words.some((word) => standsIn(folded, fold(word)));
}

const fold = (text: string): string => text.normalize("NFKC").toLowerCase();

function standsIn(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const begins = !isAlphanumeric(word, 0) || !isAlphanumeric(text, at - 1);
    const ends = !isAlphanumeric(word, word.length - 1) || !isAlphanumeric(text, end);
    if (begins && ends) return true;
  }
  return false;
}
