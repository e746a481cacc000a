import { describe, expect, test } from "vitest";
import {
  longContext,
  nanoFromUsd,
  picoFromUsdPerMillion,
  picoFromUsdPerToken,
  tokenPrices,
} from "./amounts.ts";

describe("prices become whole pico-USD", () => {
  test.each([
    [3e-6, 3_000_000],
    ["0.0000006000000000000001", 600_000],
    ["0.00000000280", 2800],
    [1.25e-7, 125_000],
    [0, 0],
    ["0", 0],
    [0.01, 10_000_000_000],
  ])("%j USD a token is %i", (value, pico) => {
    expect(picoFromUsdPerToken(value)).toBe(pico);
  });

  test.each([
    -1e-6,
    "-1",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.010001,
    "",
    " ",
    "free",
    null,
    undefined,
    {},
    1e-14,
  ])("%j is no price", (value) => {
    expect(picoFromUsdPerToken(value)).toBeUndefined();
  });

  test("a million tokens at 0.0028 USD", () => {
    expect(picoFromUsdPerMillion(0.0028)).toBe(2800);
    expect(picoFromUsdPerMillion(10_000)).toBe(10_000_000_000);
    expect(picoFromUsdPerMillion(10_001)).toBeUndefined();
  });

  test("a piece at 0.014 USD", () => {
    expect(nanoFromUsd("0.014")).toBe(14_000_000);
  });
});

describe("tokenPrices", () => {
  test("needs both base prices", () => {
    expect(tokenPrices({ input: 1, output: undefined })).toBeUndefined();
    expect(tokenPrices({ input: undefined, output: 1 })).toBeUndefined();
  });

  test("leaves out parts that cost as much as their total, and blanks written as 0", () => {
    const found = {
      input: 1,
      output: 2,
      reasoning: 2,
      inputAudio: 1,
      cacheRead: 0,
      cacheWrite5m: 3,
    };
    expect(tokenPrices(found)).toEqual({ input: 1, output: 2, cacheWrite5m: 3 });
  });
});

describe("longContext", () => {
  const base = { input: 10, output: 20, cacheRead: 1 };

  test("sorts steps and completes them from the base", () => {
    const steps = [
      { aboveInputTokens: 200, prices: { input: 40 } },
      { aboveInputTokens: 100, prices: { input: 20, output: 30, cacheRead: 2 } },
    ];
    expect(longContext(base, steps)).toEqual([
      { aboveInputTokens: 100, prices: { input: 20, output: 30, cacheRead: 2 } },
      { aboveInputTokens: 200, prices: { input: 40, output: 20, cacheRead: 1 } },
    ]);
  });

  test("leaves out steps that change nothing or have no bound", () => {
    expect(longContext(base, [{ aboveInputTokens: 5, prices: {} }])).toBeUndefined();
    expect(
      longContext(base, [{ aboveInputTokens: undefined, prices: { input: 99 } }]),
    ).toBeUndefined();
  });
});
