import { describe, expect, test } from "vitest";

import { parseUsage } from "./parse-usage.ts";

const base = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
const reasoning = (tokens: number) => ({ completion_tokens_details: { reasoning_tokens: tokens } });

describe("parseUsage", () => {
  test("reads the usual members", () => {
    const details = { cached_tokens: 40, audio_tokens: 3, cache_write_tokens: 10 };
    expect(parseUsage({ ...base, prompt_tokens_details: details, ...reasoning(5) }, {})).toEqual({
      inputTokens: 100,
      outputTokens: 20,
      cacheReadTokens: 40,
      cacheWrite5mTokens: 10,
      inputAudioTokens: 3,
      reasoningTokens: 5,
    });
  });

  test.each([
    ["Moonshot", { cached_tokens: 7 }],
    ["DeepSeek", { prompt_cache_hit_tokens: 7, prompt_cache_miss_tokens: 93 }],
  ])("finds %s's cached tokens", (_name, members) => {
    expect(parseUsage({ ...base, ...members }, {})?.cacheReadTokens).toBe(7);
  });

  test("clamps more cached tokens than there were (Azure's Grok)", () => {
    const usage = parseUsage({ ...base, prompt_tokens_details: { cached_tokens: 900 } }, {});
    expect(usage).toMatchObject({ inputTokens: 100, cacheReadTokens: 100 });
  });

  test("adds xAI's reasoning, which is beside the completion", () => {
    const usage = { ...base, total_tokens: 150, ...reasoning(30) };
    expect(parseUsage(usage, { usageExcludesReasoning: true })).toMatchObject({
      outputTokens: 50,
      reasoningTokens: 30,
    });
  });

  test("does not add it where the total says that it is inside", () => {
    const usage = { ...base, ...reasoning(15) };
    expect(parseUsage(usage, { usageExcludesReasoning: true })?.outputTokens).toBe(20);
  });

  test("adds reasoning beyond the completion only when it is outside (Vercel)", () => {
    expect(parseUsage({ ...base, total_tokens: 150, ...reasoning(30) }, {})).toMatchObject({
      outputTokens: 50,
      reasoningTokens: 30,
    });
    expect(parseUsage({ ...base, ...reasoning(30) }, {})).toMatchObject({
      outputTokens: 20,
      reasoningTokens: 20,
    });
  });

  test.each([
    ["OpenRouter", { cost: 0.5 }, 0.5],
    ["Perplexity", { cost: { total_cost: 0.25 } }, 0.25],
    ["xAI", { cost_in_usd_ticks: 5_000_000_000 }, 0.5],
    ["nonsense", { cost: -1 }, undefined],
  ])("reads the cost that %s reports", (_name, members, cost) => {
    expect(parseUsage({ ...base, ...members }, {})?.reportedCostUsd).toBe(cost);
  });

  test.each([[null], ["12"], [{}], [{ prompt_tokens: "12" }], [{ prompt_tokens: -4 }]])(
    "%j is no usage",
    (value) => {
      expect(parseUsage(value, {})).toBeUndefined();
    },
  );
});
