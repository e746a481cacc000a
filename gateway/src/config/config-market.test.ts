import { describe, expect, test } from "vitest";

import { buildCatalog } from "#catalog/catalog.ts";
import { configureProvider } from "#providers/configured-providers.ts";

import { catalogExtraOf, settingsOf } from "./config-market.ts";
import { parseConfig } from "./read-config.ts";

const TEXT = `providers:
  mine:
    baseUrl: http://localhost:9999/v1
    apiKey: secret-of-mine
    models:
      - id: House-Model
        contextTokens: 32000
        tools: true
        prices: {input: 0.15, output: 0.6, cacheRead: 0.015}
      - id: local/gpt-oss
        model: gpt-oss-120b
`;

describe("what the file adds to the market", () => {
  const config = parseConfig(TEXT, {});
  const catalog = buildCatalog({
    schema: 1,
    asOf: "2026-01-01",
    sources: [],
    models: [
      {
        id: "gpt-oss-120b",
        name: "GPT OSS",
        author: "openai",
        kind: "chat",
        aliases: [],
        input: ["text"],
        output: ["text"],
        capabilities: {},
      },
    ],
    endpoints: [],
  });

  test("an entry configures a provider", async () => {
    const [entry] = config.providers;
    const provider = configureProvider(entry!.id, settingsOf(entry!));
    const url = new URL("http://localhost:9999/v1/chat/completions");
    expect(await provider.authorize({ method: "POST", url })).toEqual({
      authorization: "Bearer secret-of-mine",
    });
  });

  test("an unknown model is added, with prices in pico-USD a token", () => {
    const extra = catalogExtraOf(config, catalog);
    expect(extra.models).toMatchObject([
      { id: "house-model", kind: "chat", capabilities: { tools: true } },
    ]);
    expect(extra.endpoints?.[0]).toMatchObject({
      model: "house-model",
      provider: "mine",
      upstreamModel: "House-Model",
      prices: { input: 150_000, output: 600_000, cacheRead: 15_000 },
    });
  });

  test("a model that the catalogue knows gets another endpoint", () => {
    const extra = catalogExtraOf(config, catalog);
    expect(extra.endpoints?.[1]).toMatchObject({
      model: "gpt-oss-120b",
      upstreamModel: "local/gpt-oss",
    });
    expect(extra.endpoints?.[1]).not.toHaveProperty("prices");
  });
});
