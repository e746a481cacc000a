import { describe, expect, test } from "vitest";
import { readLiteLlm } from "./lite-llm.ts";
import { readModelsDev } from "./models-dev.ts";
import { readOpenRouter } from "./open-router.ts";

const INFO = { name: "test", date: "2026-01-02", licence: "MIT" };

describe("readLiteLlm", () => {
  const read = (key: string, value: object) => readLiteLlm({ [key]: value }, INFO);
  const priced = {
    litellm_provider: "openai",
    mode: "chat",
    input_cost_per_token: 2e-6,
    output_cost_per_token: 8e-6,
  };

  test("takes prices, tiers, steps and pieces", () => {
    const [row] = read("gpt-x", {
      ...priced,
      cache_creation_input_token_cost: 2.5e-6,
      input_cost_per_token_above_200k_tokens: 4e-6,
      output_cost_per_token_above_200k_tokens: 12e-6,
      input_cost_per_token_batches: 1e-6,
      output_cost_per_token_batches: 4e-6,
      input_cost_per_token_flex: 2e-6,
      output_cost_per_token_flex: 8e-6,
      search_context_cost_per_query: { search_context_size_medium: 0.01 },
    });
    expect(row?.prices).toEqual({
      input: 2_000_000,
      output: 8_000_000,
      cacheWrite5m: 2_500_000,
      longContext: [
        {
          aboveInputTokens: 200_000,
          prices: { input: 4_000_000, output: 12_000_000, cacheWrite5m: 5_000_000 },
        },
      ],
      tiers: { batch: { input: 1_000_000, output: 4_000_000 } },
      perWebSearchNanoUsd: 10_000_000,
    });
  });

  test("takes prices by range", () => {
    const range = (from: number, price: number) => ({
      range: [from, from * 2],
      input_cost_per_token: price,
      output_cost_per_token: price,
    });
    const [row] = read("volcengine/doubao-x", {
      litellm_provider: "volcengine",
      mode: "chat",
      tiered_pricing: [range(32_000, 2e-6), range(0, 1e-6)],
    });
    expect(row?.upstreamModel).toBe("doubao-x");
    expect(row?.prices).toEqual({
      input: 1_000_000,
      output: 1_000_000,
      longContext: [{ aboveInputTokens: 32_000, prices: { input: 2_000_000, output: 2_000_000 } }],
    });
  });

  test("a 0 by token is no price where another unit is billed", () => {
    const zero = { input_cost_per_token: 0, output_cost_per_token: 0 };
    expect(
      read("dall-e-9", { ...priced, ...zero, mode: "image_generation" })[0]?.prices,
    ).toBeUndefined();
    expect(read("gpt-x", { ...priced, ...zero })[0]?.prices).toBeUndefined();
    const rerank = {
      litellm_provider: "cohere",
      mode: "rerank",
      input_cost_per_query: 0.002,
      ...zero,
    };
    expect(read("rerank-x", rerank)[0]?.prices).toEqual({
      input: 0,
      output: 0,
      perSearchUnitNanoUsd: 2_000_000,
    });
  });

  test.each([
    ["sizes", "1024-x-1024/gpt-image-1", priced],
    ["regions", "azure/eu/gpt-x", { ...priced, litellm_provider: "azure" }],
    ["fine-tunes", "ft:gpt-x", priced],
    ["price classes", "together-ai-4.1b-8b", { ...priced, litellm_provider: "together_ai" }],
    ["unknown providers", "x/y", { ...priced, litellm_provider: "nobody" }],
    ["unknown modes", "gpt-x", { ...priced, mode: "vector_store" }],
    ["notes", "last_updated", "2026-01-02"],
  ])("leaves out %s", (_, key, value) => {
    expect(readLiteLlm({ [key]: value }, INFO)).toEqual([]);
  });
});

describe("readModelsDev", () => {
  const read = (provider: string, model: object) =>
    readModelsDev({ [provider]: { models: { x: model } } }, INFO)[0];

  test("takes facts under our provider's id", () => {
    expect(
      read("togetherai", {
        id: "A/B",
        name: "B (latest)",
        release_date: "2026-01-31",
        tool_call: true,
        cost: {
          input: 0.1,
          output: 0.2,
          tiers: [{ tier: { size: 1000 }, input: 0.4, output: 0.8 }],
        },
        limit: { context: 1000, output: 0 },
        modalities: { input: ["pdf", "text"], output: ["text"] },
      }),
    ).toEqual({
      source: "test",
      date: "2026-01-02",
      provider: "together",
      upstreamModel: "A/B",
      name: "B",
      released: "2026-01-31",
      capabilities: { tools: true },
      contextTokens: 1000,
      input: ["text", "file"],
      output: ["text"],
      prices: {
        input: 100_000,
        output: 200_000,
        longContext: [{ aboveInputTokens: 1000, prices: { input: 400_000, output: 800_000 } }],
      },
    });
  });

  test("wrong types are absent facts", () => {
    const row = read("openai", {
      id: "x",
      name: 7,
      cost: { input: "1", output: null },
      limit: [],
      release_date: "2026",
    });
    expect(row).toEqual({
      source: "test",
      date: "2026-01-02",
      provider: "openai",
      upstreamModel: "x",
      capabilities: {},
    });
  });
});

describe("readOpenRouter", () => {
  test("takes decimal texts and steps, and leaves out routers", () => {
    const rows = readOpenRouter(
      {
        data: [
          { id: "openrouter/auto", pricing: { prompt: "-1", completion: "-1" } },
          {
            id: "a/b",
            name: "A: B",
            created: 1785478908,
            pricing: {
              prompt: "0.0000006000000000000001",
              completion: "0.000002",
              internal_reasoning: "0.000002",
              web_search: "0.01",
              overrides: [{ min_prompt_tokens: 10, prompt: "0.000001" }],
            },
          },
        ],
      },
      INFO,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      upstreamModel: "a/b",
      name: "B",
      released: "2026-07-31",
      prices: {
        input: 600_000,
        output: 2_000_000,
        longContext: [{ aboveInputTokens: 10, prices: { input: 1_000_000, output: 2_000_000 } }],
        perWebSearchNanoUsd: 10_000_000,
      },
    });
  });
});
