import { describe, expect, test } from "vitest";
import { buildCatalog } from "./catalog.ts";
import type { CatalogData, CatalogEndpoint, CatalogModel } from "./types.ts";

const model = (id: string, aliases: readonly string[] = []): CatalogModel => ({
  id,
  name: id,
  author: "somebody",
  kind: "chat",
  aliases,
  input: ["text"],
  output: ["text"],
  capabilities: {},
});

const endpoint = (of: string, provider: string, upstreamModel: string): CatalogEndpoint => ({
  model: of,
  provider,
  upstreamModel,
  source: { name: "test", date: "2026-01-02" },
});

const DATA: CatalogData = {
  schema: 1,
  asOf: "2026-01-02",
  sources: [],
  models: [
    model("claude-sonnet-4-5", ["claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4.5"]),
    model("gpt-oss-120b", ["openai/gpt-oss-120b"]),
    model("gpt-4o"),
    model("llama-3.3-70b-instruct"),
  ],
  endpoints: [
    endpoint("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
    endpoint("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5-20250929"),
    endpoint("claude-sonnet-4-5", "openrouter", "anthropic/claude-sonnet-4.5"),
    endpoint("claude-sonnet-4-5", "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    endpoint("claude-sonnet-4-5", "bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    endpoint("gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
    endpoint("gpt-oss-120b", "together", "openai/gpt-oss-120b"),
    endpoint("gpt-4o", "openai", "gpt-4o"),
    endpoint("llama-3.3-70b-instruct", "together", "meta-llama/Llama-3.3-70B-Instruct"),
  ],
};

const catalog = buildCatalog(DATA);

const ids = (name: string): readonly string[] | undefined =>
  catalog
    .resolve(name)
    ?.endpoints.map(({ provider, upstreamModel }) => `${provider} ${upstreamModel}`);

describe("resolve", () => {
  test("a slug means all its endpoints, one spelling of each, and every Bedrock region", () => {
    expect(ids("claude-sonnet-4-5")).toEqual([
      "anthropic claude-sonnet-4-5",
      "openrouter anthropic/claude-sonnet-4.5",
      "bedrock us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      "bedrock eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ]);
  });

  test("a dated name pins the dated endpoint where there is one", () => {
    expect(ids("claude-sonnet-4-5-20250929")?.[0]).toBe("anthropic claude-sonnet-4-5-20250929");
  });

  test("a provider's own id in full means that endpoint alone: regions are not exchanged", () => {
    expect(ids("bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0")).toEqual([
      "bedrock eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ]);
    expect(ids("bedrock/claude-sonnet-4-5")).toHaveLength(2);
  });

  test("case does not matter, nor an unlisted spelling", () => {
    expect(catalog.resolve("Claude-Sonnet-4-5")?.model.id).toBe("claude-sonnet-4-5");
    expect(catalog.resolve("claude-sonnet-4.5")?.model.id).toBe("claude-sonnet-4-5");
    expect(catalog.resolve("meta/Llama-3.3-70B-Instruct")?.model.id).toBe("llama-3.3-70b-instruct");
  });

  test("provider/slug and provider/upstream id mean that provider only", () => {
    expect(ids("anthropic/claude-sonnet-4.5")).toEqual(["anthropic claude-sonnet-4-5"]);
    expect(ids("openrouter/anthropic/claude-sonnet-4.5")).toEqual([
      "openrouter anthropic/claude-sonnet-4.5",
    ]);
    expect(ids("groq/openai/gpt-oss-120b")).toEqual(["groq openai/gpt-oss-120b"]);
    expect(ids("groq/gpt-oss-120b")).toEqual(["groq openai/gpt-oss-120b"]);
    expect(ids("together/Meta-Llama/llama-3.3-70b-instruct")).toEqual([
      "together meta-llama/Llama-3.3-70B-Instruct",
    ]);
  });

  test("author/name means the model when the author's own provider has no such endpoint", () => {
    expect(ids("openai/gpt-oss-120b")).toEqual([
      "groq openai/gpt-oss-120b",
      "together openai/gpt-oss-120b",
    ]);
  });

  test.each(["", "/", "nobody", "anthropic/nobody", "anthropic/", "__proto__", "constructor"])(
    "%j means nothing",
    (name) => {
      expect(catalog.resolve(name)).toBeUndefined();
    },
  );
});

test("a name of 5,000 letters means nothing, in no time", () => {
  expect(catalog.resolve("claude-".repeat(700))).toBeUndefined();
});

describe("endpointsOf and endpoint", () => {
  test("give every spelling", () => {
    expect(catalog.endpointsOf("claude-sonnet-4-5")).toHaveLength(5);
    expect(catalog.endpointsOf("nobody")).toEqual([]);
    expect(catalog.endpoint("openai", "gpt-4o")?.model).toBe("gpt-4o");
    expect(catalog.endpoint("openai", "gpt-5")).toBeUndefined();
  });
});

describe("the operator's additions", () => {
  const own = { ...endpoint("gpt-4o", "openai", "gpt-4o"), contextTokens: 7 };
  const extended = buildCatalog(DATA, {
    models: [model("house-model", ["gpt-4o"])],
    endpoints: [own, endpoint("house-model", "vllm", "house")],
  });

  test("are found, and replace the same endpoint", () => {
    expect(extended.resolve("vllm/house")?.model.id).toBe("house-model");
    expect(extended.endpoint("openai", "gpt-4o")?.contextTokens).toBe(7);
    expect(extended.endpointsOf("gpt-4o")).toEqual([own]);
  });

  test("an alias never hides a model's own id", () => {
    expect(extended.resolve("gpt-4o")?.model.id).toBe("gpt-4o");
  });
});

describe("near", () => {
  test("finds what was meant", () => {
    expect(catalog.near("claude-sonet-45", 1)).toEqual(["claude-sonnet-4-5"]);
    expect(catalog.near("gpt4o", 3)).toContain("gpt-4o");
  });

  test("gives no more than asked and nothing for noise", () => {
    expect(catalog.near("gpt-oss-120b", 1)).toHaveLength(1);
    expect(catalog.near("zzzzzzzz", 5)).toEqual([]);
    expect(catalog.near("", 5)).toEqual([]);
    expect(catalog.near("gpt-4o", -1)).toEqual([]);
  });

  test("looks at the first letters of a hostile name only", () => {
    const noise = "z".repeat(64);
    expect(catalog.near(`${noise}gpt-4o`, 5)).toEqual([]);
    expect(catalog.near(`gpt-4o${"abcdefghij".repeat(100_000)}`, 5)).toEqual(
      catalog.near(`gpt-4o${"abcdefghij".repeat(6)}`, 5),
    );
  });
});
