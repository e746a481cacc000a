import { describe, expect, test } from "vitest";
import type { Prices } from "../../gateway/src/catalog/types.ts";
import { type GenaiPrices, readGenaiPrices } from "./genai-prices.ts";
import { type MergedEndpoint, mergeRows } from "./merge.ts";
import { buildModels } from "./models.ts";
import type { SourceRow } from "./row.ts";

const GENAI = { name: "genai-prices", date: "2026-04-01", licence: "MIT" };

const genaiWith = (models: readonly object[]): GenaiPrices =>
  readGenaiPrices([{ id: "openai", models }], GENAI);

const row = (source: string, date: string, prices?: Prices): SourceRow => ({
  source,
  date,
  provider: "openai",
  upstreamModel: "gpt-x-2026-01-31",
  ...(prices === undefined ? {} : { prices }),
});

const OLD = row("models.dev", "2026-01-01", { input: 1, output: 2 });
const MIDDLE = row("litellm", "2026-02-01", { input: 1, output: 2, cacheWrite1h: 7 });
const NEW = row("openrouter", "2026-03-01", { input: 3, output: 4 });

function merged(rows: readonly SourceRow[], genai = genaiWith([])): MergedEndpoint {
  const [one, ...more] = mergeRows(rows, genai);
  expect(more).toEqual([]);
  if (one === undefined) throw new Error("nothing was merged");
  return one;
}

describe("mergeRows", () => {
  test("the newer of two sources that disagree wins, and both are told", () => {
    const { endpoint, disagreement } = merged([OLD, NEW]);
    expect(endpoint.prices).toEqual({ input: 3, output: 4 });
    expect(endpoint.source).toEqual({ name: "openrouter", date: "2026-03-01" });
    expect(disagreement?.others).toEqual(["models.dev 0.000001/0.000002"]);
  });

  test("two that agree win against a newer one, and each adds what the other lacks", () => {
    const { endpoint } = merged([NEW, OLD, MIDDLE]);
    expect(endpoint.prices).toEqual({ input: 1, output: 2, cacheWrite1h: 7 });
    expect(endpoint.source).toEqual({
      name: "litellm",
      date: "2026-02-01",
      confirmedBy: "models.dev",
    });
  });

  test("an announced price is not outvoted", () => {
    const prices = [
      { prices: { input_mtok: 1e-6, output_mtok: 2e-6 } },
      { constraint: { start_date: "2026-05-01" }, prices: { input_mtok: 5e-6, output_mtok: 6e-6 } },
    ];
    const genai = genaiWith([{ id: "gpt-x", match: { starts_with: "gpt-x" }, prices }]);
    expect(merged([OLD, MIDDLE], genai).endpoint.prices).toMatchObject({ input: 5, output: 6 });
    expect(genai.find("openai", "gpt-x")?.prices).toMatchObject({ input: 1, output: 2 });
  });

  test("a rule for a family yields to a row of the very id, and confirms it", () => {
    const rule = (input: number): GenaiPrices =>
      genaiWith([
        {
          id: "gpt-x",
          match: { starts_with: "gpt-x" },
          prices: { input_mtok: input * 1e-6, output_mtok: 2e-6 },
        },
      ]);
    expect(merged([OLD], rule(9)).endpoint.prices).toEqual({ input: 1, output: 2 });
    expect(merged([OLD], rule(1)).endpoint.source.confirmedBy).toBe("genai-prices");
  });

  test("free is believed only when nobody knows a price", () => {
    const free = row("openrouter", "2026-03-01", { input: 0, output: 0 });
    expect(merged([free, OLD]).endpoint.prices).toEqual({ input: 1, output: 2 });
    expect(merged([free]).endpoint.prices).toEqual({ input: 0, output: 0 });
  });

  test("an unknown price stays absent", () => {
    expect(merged([row("litellm", "2026-02-01")]).endpoint.prices).toBeUndefined();
  });

  test("long-context steps that most sources have dropped are dropped", () => {
    const longContext = [{ aboveInputTokens: 100, prices: { input: 2, output: 4 } }];
    const steps = { ...OLD, prices: { input: 1, output: 2, longContext } };
    const third = row("openrouter", "2026-03-01", { input: 1, output: 2 });
    expect(merged([steps, MIDDLE, third]).endpoint.prices).not.toHaveProperty("longContext");
    expect(merged([steps, MIDDLE]).endpoint.prices).toHaveProperty("longContext");
  });
});

describe("buildModels", () => {
  const at = (provider: string, upstreamModel: string): SourceRow => ({
    ...OLD,
    provider,
    upstreamModel,
  });
  const built = (...rows: readonly SourceRow[]) => buildModels(mergeRows(rows, genaiWith([])));

  test("a model's only snapshot is an alias of it", () => {
    const { models, endpoints } = built(
      at("openai", "gpt-x-2026-01-31"),
      at("openai", "gpt-x"),
      at("openrouter", "openai/gpt-x"),
    );
    expect(models.map(({ id, aliases }) => ({ id, aliases }))).toEqual([
      { id: "gpt-x", aliases: ["gpt-x-2026-01-31", "openai/gpt-x"] },
    ]);
    expect(endpoints.map(({ model }) => model)).toEqual(["gpt-x", "gpt-x", "gpt-x"]);
  });

  test("several snapshots stay models of their own", () => {
    const { models } = built(
      at("openai", "gpt-x"),
      at("openai", "gpt-x-2026-01-31"),
      at("azure", "gpt-x-20260228"),
    );
    expect(models.map(({ id }) => id)).toEqual(["gpt-x", "gpt-x-2026-01-31", "gpt-x-2026-02-28"]);
  });

  test("an id that reads as a model that its author serves is no other model's alias", () => {
    const { models, endpoints } = built(
      at("openrouter", "deepseek/deepseek-chat"),
      at("huggingface", "deepseek/deepseek-chat"),
    );
    expect(endpoints.map(({ model }) => model)).toEqual(["deepseek-chat", "deepseek-v3"]);
    expect(models.map(({ id, aliases }) => [id, aliases])).toEqual([
      ["deepseek-chat", ["deepseek/deepseek-chat"]],
      ["deepseek-v3", []],
    ]);
  });
});
