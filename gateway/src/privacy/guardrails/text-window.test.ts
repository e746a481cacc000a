import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { TextWindow, type WindowOptions } from "#privacy/guardrails/text-window.ts";
import { checkKeywords } from "#privacy/guardrails/check-text.ts";
import { PERSONAL_DATA } from "#privacy/detect/match.ts";
import { redactText } from "#privacy/redact.ts";

const REDACTING: WindowOptions = {
  redact: PERSONAL_DATA,
  isBlocked: () => false,
  reach: 0,
  wholeWords: true,
};

function through(options: WindowOptions, pieces: readonly string[]): string {
  const window = new TextWindow(options);
  return pieces.map((piece) => window.push(piece)).join("") + window.end();
}

/** A text cut at random places. */
const cutTexts = (words: readonly string[]) =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...words), { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
    )
    .map(([chosen, sizes]) => {
      const text = chosen.join("");
      const pieces: string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      return { text, pieces };
    });

const WORDS = [
  "ada@example.org",
  "+49 30 1234567",
  "DE89 3704 0044 0532 0130 00",
  "4111 1111 1111 1111",
  "192.168.1.10",
  "sk-ant-api03-AbCdEfGh1234567890AbCdEfGh",
  "password: hunter2!x",
  " and ",
  " the quick brown fox ",
  "\n",
  ". ",
  "你好",
];

describe("TextWindow", () => {
  test("redacts a text in pieces as it does the whole", () => {
    fc.assert(
      fc.property(cutTexts(WORDS), ({ text, pieces }) => {
        expect(through(REDACTING, pieces)).toBe(redactText(text));
      }),
      { numRuns: 500 },
    );
  });

  test("a name within the value of another one is a name however little is seen before it", () => {
    const text = `password: hunter2!xsk-ant-api03-${"AbCdEfGh12345678".repeat(2)}password: hunter2!x and on`;
    expect(redactText(text)).toBe("password: [secret] [secret] and on");
    expect(through(REDACTING, text.split(""))).toBe(redactText(text));
  });

  test("what may be the beginning of something stays a little behind, the rest goes on", () => {
    const window = new TextWindow(REDACTING);
    const long = "word ".repeat(100);
    expect(window.push(long).length).toBeGreaterThan(400);
    expect(window.push("ada@exam")).not.toContain("ada");
    expect(window.push("ple.org is hers") + window.end()).toContain("[email] is hers");
  });

  test("nothing of a blocked word is let go, and no word that only begins like one is blocked", () => {
    const options = (): WindowOptions => ({
      isBlocked: (text) => checkKeywords(text, ["cat"]).action === "block",
      reach: 4,
      wholeWords: false,
    });
    expect(through(options(), ["a ", "c", "a", "tegory"])).toBe("a category");
    const window = new TextWindow(options());
    const sent = ["see the ", "c", "a", "t", " here"].map((piece) => window.push(piece)).join("");
    expect(window.isBlocked).toBe(true);
    expect(sent).not.toContain("c");
  });

  test("a key without an end is not let go piece by piece", () => {
    const head = "-----BEGIN PRIVATE KEY-----\n";
    const body = Array.from({ length: 200 }, () => "MIIEvQIBADANBgkqhkiG9w0BAQ\n");
    const out = through(REDACTING, [head, ...body]);
    expect(out).not.toContain("MIIEvQ");
  });

  test("a token longer than what is held is left out to its end", () => {
    const token = `eyJhbGciOiJIUzI1NiJ9.${"aB3dE5".repeat(2_000)}.sig`;
    const pieces = [`see ${token} ok`].join("").match(/[^]{1,50}/g) ?? [];
    const out = through(REDACTING, pieces);
    expect(out).toMatch(/^see \[secret\] ok$/);
  });
});
