import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildCatalog } from "./catalog.ts";
import { parseCatalog } from "./parse-catalog.ts";
import type { Prices } from "./types.ts";

const FILE = new URL("data/catalog.json", import.meta.url);
const text = readFileSync(FILE, "utf8");
const data = parseCatalog(JSON.parse(text));
const catalog = buildCatalog(data);

const PROVIDERS = new Set(
  `openai anthropic google vertex bedrock azure deepseek xai moonshot zai minimax volcengine alibaba
  alibaba-cn tencent mistral cohere groq together fireworks cerebras sambanova deepinfra perplexity
  openrouter nvidia huggingface novita siliconflow baidu nebius cloudflare jina voyage`.split(
    /\s+/,
  ),
);

const count = (of: readonly unknown[]): number => of.length;

describe("the catalogue file", () => {
  test("is small enough to be read at every start, and has one row a line", () => {
    expect(statSync(FILE).size).toBeLessThan(1_500_000);
    const rows = count(data.models) + count(data.endpoints) + count(data.sources);
    expect(text.split("\n").filter((line) => line.startsWith('    {"')).length).toBe(rows);
  });

  test("is large enough", () => {
    expect(count(data.models)).toBeGreaterThanOrEqual(600);
    expect(count(data.endpoints)).toBeGreaterThanOrEqual(1500);
  });

  test("names known providers only, and nearly all of them", () => {
    const used = new Set(data.endpoints.map(({ provider }) => provider));
    expect([...used].filter((provider) => !PROVIDERS.has(provider))).toEqual([]);
    // No public catalogue prices Baidu's own API.
    expect([...PROVIDERS].filter((provider) => !used.has(provider))).toEqual(["baidu"]);
  });

  test("has no model without an endpoint", () => {
    expect(data.models.filter(({ id }) => catalog.endpointsOf(id).length === 0)).toEqual([]);
  });

  test("every id and alias resolves to its model", () => {
    const wrong = data.models.flatMap(({ id, aliases }) =>
      [id, ...aliases].filter((name) => {
        const found = catalog.resolve(name)?.model.id;
        return found !== id;
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("every endpoint is found as provider/upstream id", () => {
    const wrong = data.endpoints.filter(({ provider, upstreamModel, model }) => {
      const found = catalog.resolve(`${provider}/${upstreamModel}`);
      return found?.model.id !== model || found.endpoints.some((one) => one.provider !== provider);
    });
    expect(wrong).toEqual([]);
  });

  test.each([
    ["chat", 500],
    ["embedding", 50],
    ["rerank", 15],
    ["moderation", 3],
    ["image", 20],
    ["speech", 5],
    ["transcription", 5],
    ["video", 5],
  ])("has %s models", (kind, atLeast) => {
    expect(data.models.filter((model) => model.kind === kind).length).toBeGreaterThanOrEqual(
      atLeast,
    );
  });

  test.each([
    ["openai", /^gpt-/, 30],
    ["anthropic", /^claude-/, 15],
    ["google", /^gemini-/, 20],
    ["deepseek", /^deepseek-/, 15],
    ["xai", /^grok-/, 15],
    ["zai", /^glm-/, 12],
    ["minimax", /^minimax-/, 8],
    ["moonshot", /^kimi-/, 10],
    ["alibaba", /^qwen/, 80],
    ["bytedance", /^doubao-/, 5],
    ["meta", /^llama-/, 25],
    ["mistral", /^(mistral|ministral|magistral|codestral|devstral)-/, 40],
    ["cohere", /^(command|embed|rerank)-/, 12],
  ])("has the family of %s", (author, family, atLeast) => {
    const found = data.models.filter((model) => model.author === author && family.test(model.id));
    expect(found.length).toBeGreaterThanOrEqual(atLeast);
  });

  test("most chat endpoints have a price, and each price a source", () => {
    const chat = data.endpoints.filter(
      ({ model }) => catalog.resolve(model)?.model.kind === "chat",
    );
    const priced = chat.filter(({ prices }) => prices !== undefined);
    expect(priced.length / chat.length).toBeGreaterThan(0.97);
    expect(data.endpoints.filter(({ source }) => source.date > data.asOf)).toEqual([]);
  });

  test("a cached token never costs more than a fresh one", () => {
    const odd = data.endpoints.filter(
      ({ prices }) => prices && (prices.cacheRead ?? 0) > prices.input,
    );
    expect(odd.map(({ provider, upstreamModel }) => `${provider}/${upstreamModel}`)).toEqual([]);
  });
});

describe("one model at many providers is one model", () => {
  test.each([
    ["claude-sonnet-4-5", ["anthropic", "azure", "bedrock", "openrouter", "vertex"]],
    ["gpt-5.1", ["azure", "openai", "openrouter"]],
    ["gemini-2.5-pro", ["google", "openrouter", "vertex"]],
    [
      "llama-3.3-70b-instruct",
      ["azure", "bedrock", "deepinfra", "groq", "huggingface", "sambanova", "vertex"],
    ],
    ["kimi-k2.5", ["azure", "bedrock", "deepinfra", "fireworks", "moonshot", "together"]],
    ["deepseek-v4-flash", ["deepseek", "deepinfra", "fireworks", "openrouter"]],
    ["glm-4.7", ["bedrock", "cerebras", "deepinfra", "vertex", "volcengine", "zai"]],
  ])("%s", (model, providers) => {
    const found = new Set(catalog.endpointsOf(model).map(({ provider }) => provider));
    expect(providers.filter((provider) => !found.has(provider))).toEqual([]);
  });
});

/** USD a million tokens (a web search or search unit: USD), read off the sources by hand. */
const SPOT: readonly (readonly [
  provider: string,
  upstreamModel: string,
  usd: Partial<Record<keyof Prices, number>>,
])[] = [
  ["openai", "gpt-5.1", { input: 1.25, output: 10, cacheRead: 0.125 }],
  ["openai", "gpt-4o", { input: 2.5, output: 10, cacheRead: 1.25 }],
  ["openai", "gpt-4o-2024-05-13", { input: 5, output: 15 }],
  ["openai", "text-embedding-3-small", { input: 0.02, output: 0 }],
  [
    "anthropic",
    "claude-sonnet-4-5",
    { input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6 },
  ],
  [
    "anthropic",
    "claude-opus-4-8",
    { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 },
  ],
  ["google", "gemini-2.5-flash", { input: 0.3, output: 2.5, cacheRead: 0.03, inputAudio: 1 }],
  ["google", "gemini-2.5-pro", { input: 1.25, output: 10, cacheRead: 0.125 }],
  [
    "bedrock",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    { input: 3.3, output: 16.5, cacheRead: 0.33 },
  ],
  ["deepseek", "deepseek-v4-flash", { input: 0.14, output: 0.28, cacheRead: 0.0028 }],
  ["xai", "grok-4.3", { input: 1.25, output: 2.5, cacheRead: 0.2 }],
  ["zai", "glm-4.6", { input: 0.6, output: 2.2, cacheRead: 0.11 }],
  ["minimax", "MiniMax-M2", { input: 0.3, output: 1.2 }],
  ["moonshot", "kimi-k2.5", { input: 0.6, output: 3, cacheRead: 0.1 }],
  ["alibaba", "qwen3-max", { input: 1.2, output: 6 }],
  ["volcengine", "doubao-seed-2-0-pro-260215", { input: 0.46, output: 2.3 }],
  ["groq", "llama-3.3-70b-versatile", { input: 0.59, output: 0.79 }],
  ["mistral", "mistral-large-2512", { input: 0.5, output: 1.5 }],
  ["cohere", "command-a-03-2025", { input: 2.5, output: 10 }],
  ["openai", "omni-moderation-latest", { input: 0, output: 0 }],
  ["voyage", "rerank-2.5", { input: 0.05, output: 0 }],
];

describe("prices of well-known models", () => {
  test.each(SPOT)("%s %s", (provider, upstreamModel, usd) => {
    const prices = catalog.endpoint(provider, upstreamModel)?.prices;
    const pico = Object.fromEntries(
      Object.entries(usd).map(([name, price]) => [name, Math.round(price * 1e6)]),
    );
    expect(prices).toMatchObject(pico);
  });

  test("long context, service tiers and pieces", () => {
    expect(catalog.endpoint("anthropic", "claude-sonnet-4-5")?.prices?.longContext).toEqual([
      {
        aboveInputTokens: 200_000,
        prices: {
          input: 6e6,
          output: 22.5e6,
          cacheRead: 0.6e6,
          cacheWrite5m: 7.5e6,
          cacheWrite1h: 12e6,
        },
      },
    ]);
    expect(catalog.endpoint("openai", "gpt-5.4")?.prices).toMatchObject({
      longContext: [
        { aboveInputTokens: 272_000, prices: { input: 5e6, output: 22.5e6, cacheRead: 0.5e6 } },
      ],
      tiers: { batch: { input: 1.25e6, output: 7.5e6 }, priority: { input: 5e6, output: 30e6 } },
    });
    expect(catalog.endpoint("cohere", "rerank-v3.5")?.prices?.perSearchUnitNanoUsd).toBe(2_000_000);
    expect(catalog.endpoint("anthropic", "claude-sonnet-4-5")?.prices?.perWebSearchNanoUsd).toBe(
      10_000_000,
    );
    expect(catalog.endpoint("perplexity", "sonar-pro")?.prices?.perRequestNanoUsd).toBe(14_000_000);
  });
});
