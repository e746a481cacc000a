import { describe, expect, test } from "vitest";
import { CatalogError, parseCatalog, parseCatalogOverride } from "./parse-catalog.ts";

const MODEL = {
  id: "gpt-4o",
  name: "GPT-4o",
  author: "openai",
  kind: "chat",
  aliases: ["openai/gpt-4o"],
  input: ["text"],
  output: ["text"],
  capabilities: {},
};
const ENDPOINT = {
  model: "gpt-4o",
  provider: "openai",
  upstreamModel: "gpt-4o",
  prices: { input: 2_500_000, output: 10_000_000 },
  source: { name: "test", date: "2026-01-02" },
};
const DATA = { schema: 1, asOf: "2026-01-02", sources: [], models: [MODEL], endpoints: [ENDPOINT] };

const priced = (prices: object): object => ({ ...DATA, endpoints: [{ ...ENDPOINT, prices }] });
const step = (aboveInputTokens: number): object => ({
  aboveInputTokens,
  prices: { input: 1, output: 1 },
});

describe("parseCatalog", () => {
  test("gives a good file back as it is", () => {
    expect(parseCatalog(DATA)).toEqual(DATA);
  });

  test.each<[what: string, value: unknown, message: string]>([
    ["no object", null, "the file: "],
    ["another schema", { ...DATA, schema: 2 }, "schema: "],
    ["a price below 0", priced({ input: -1, output: 0 }), "endpoints[0].prices.input: "],
    [
      "a price that is no integer",
      priced({ input: 0.5, output: 0 }),
      "endpoints[0].prices.input: ",
    ],
    [
      "a price that is absurd",
      priced({ input: 0, output: 10_000_000_001 }),
      "endpoints[0].prices.output: ",
    ],
    [
      "a price that is NaN",
      priced({ input: Number.NaN, output: 0 }),
      "endpoints[0].prices.input: ",
    ],
    ["half a price", priced({ input: 1 }), "endpoints[0].prices.output: "],
    [
      "steps that do not ascend",
      priced({ input: 1, output: 1, longContext: [step(200), step(100)] }),
      "endpoints[0].prices.longContext: the bounds must ascend",
    ],
    ["an unknown field", priced({ input: 1, output: 1, inputs: 2 }), "endpoints[0].prices: "],
    [
      "an upper-case id",
      { ...DATA, models: [{ ...MODEL, id: "GPT-4o" }] },
      "models[0].id: must be a lower-case slug",
    ],
    [
      "a model twice",
      { ...DATA, models: [MODEL, { ...MODEL, aliases: [] }] },
      'models[1].id: "gpt-4o" already names "gpt-4o"',
    ],
    [
      "an alias of two models",
      { ...DATA, models: [MODEL, { ...MODEL, id: "other", aliases: ["OpenAI/gpt-4o"] }] },
      'models[1].aliases[0]: "openai/gpt-4o" already names "gpt-4o"',
    ],
    [
      "an endpoint twice",
      { ...DATA, endpoints: [ENDPOINT, ENDPOINT] },
      'endpoints[1]: "openai/gpt-4o" is there twice',
    ],
    [
      "an endpoint of no model",
      { ...DATA, endpoints: [{ ...ENDPOINT, model: "openai/gpt-4o" }] },
      'endpoints[0].model: there is no model "openai/gpt-4o"',
    ],
  ])("refuses %s and names the place", (_, value, message) => {
    expect(() => parseCatalog(value)).toThrow(CatalogError);
    expect(() => parseCatalog(value)).toThrow(message);
  });
});

describe("parseCatalogOverride", () => {
  const builtIn = parseCatalog(DATA);

  test("may name built-in models and leave out what it does not add", () => {
    const endpoints = [{ ...ENDPOINT, provider: "azure" }];
    expect(parseCatalogOverride({ endpoints }, builtIn)).toEqual({ endpoints });
  });

  test("refuses an endpoint of a model that nobody has", () => {
    expect(() =>
      parseCatalogOverride({ endpoints: [{ ...ENDPOINT, model: "x" }] }, builtIn),
    ).toThrow('endpoints[0].model: there is no model "x"');
  });
});
