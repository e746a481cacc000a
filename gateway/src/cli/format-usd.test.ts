import { describe, expect, test } from "vitest";

import { formatPerMillion, formatUsd } from "./format-usd.ts";

describe("formatUsd", () => {
  test.each([
    [0n, "$0.000000"],
    [1n, "$0.000001"],
    [1_000n, "$0.000001"],
    [1_234_567_890n, "$1.234568"],
    [123_456_789_000_000_000n, "$123456789.000000"],
  ])("%s nano-USD is %s", (nano, text) => expect(formatUsd(nano)).toBe(text));
});

describe("formatPerMillion", () => {
  test.each([
    [0, "0"],
    [150_000, "0.15"],
    [3_000_000, "3"],
    [12_500_000, "12.5"],
    [1, "0.000001"],
  ])("%s pico-USD a token is $%s a million", (pico, text) =>
    expect(formatPerMillion(pico)).toBe(text),
  );
});
