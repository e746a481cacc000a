import { createHmac } from "node:crypto";

const MIN_WORD = 3;
const MAX_WORD = 64;
const MAX_WORDS = 2_000;

/** The words of a text, each once, in small letters. */
export function wordsOf(text: string): readonly string[] {
  const words = new Set<string>();
  for (const [word] of text
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    if (word.length >= MIN_WORD && word.length <= MAX_WORD) words.add(word);
    if (words.size >= MAX_WORDS) break;
  }
  return [...words];
}

/** What stands for a word in the index: without the organization's key nobody can tell which. */
export const blindWord = (indexKey: Buffer, word: string): string =>
  createHmac("sha256", indexKey).update(word).digest("base64url").slice(0, 22);
