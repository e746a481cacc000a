import { describe, expect, test } from "vitest";

import { baseUrlVariables } from "./base-url.ts";
import { buildUrl, completeVariables, fillPlaceholders } from "./build-url.ts";
import { OPENAI_COMPATIBLE_CHINA } from "./openai-compatible-china.ts";
import { OPENAI_COMPATIBLE } from "./openai-compatible.ts";
import type { Provider } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

const ROWS = Object.entries(PROVIDERS);

const REQUIRED =
  `openai anthropic google vertex bedrock azure deepseek xai moonshot zai minimax volcengine alibaba
  alibaba-cn tencent mistral cohere groq together fireworks cerebras sambanova deepinfra perplexity
  openrouter nvidia huggingface novita siliconflow baidu nebius cloudflare jina voyage ollama
  lmstudio vllm`.split(/\s+/);

const surfaces = (provider: Provider) =>
  [...provider.speaks, provider.embeddings, provider.rerank, provider.moderations].filter(
    (surface) => surface !== undefined,
  );

/** A value for every variable of a row. */
function sampleVariables(provider: Provider): Record<string, string> {
  const names = Object.entries(provider.variables ?? {});
  return Object.fromEntries(names.map(([name, { default: value }]) => [name, value ?? "sample-1"]));
}

describe("PROVIDERS", () => {
  test("knows all providers that the catalogue routes to", () => {
    expect(Object.keys(PROVIDERS)).toEqual(expect.arrayContaining(REQUIRED));
  });

  test.each([
    ["OPENAI_COMPATIBLE", OPENAI_COMPATIBLE],
    ["OPENAI_COMPATIBLE_CHINA", OPENAI_COMPATIBLE_CHINA],
  ])("%s is sorted by id", (_name, rows) => {
    expect(Object.keys(rows)).toEqual(Object.keys(rows).toSorted());
  });

  test("no variable of a key belongs to two providers, or a key would go to both", () => {
    const names = ROWS.flatMap(([, { auth }]) => auth.env);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("no variable of a base URL belongs to two providers", () => {
    const names = ROWS.flatMap(([id, provider]) => baseUrlVariables(id, provider));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe("the models of a surface", () => {
  const speaking = (id: string, model: string): readonly string[] =>
    (PROVIDERS[id]?.speaks ?? [])
      .filter(({ models }) => models?.test(model) !== false)
      .map(({ protocol }) => protocol);

  test.each([
    ["openai", "gpt-5.4", ["openai-chat", "openai-responses"]],
    ["openai", "gpt-4o-mini", ["openai-chat", "openai-responses"]],
    ["openai", "gpt-5.1-codex-max", ["openai-responses"]],
    ["openai", "o3-pro", ["openai-responses"]],
    ["openai", "gpt-5.2-pro-2026-01-01", ["openai-responses"]],
    ["vertex", "gemini-3-pro", ["gemini"]],
    ["vertex", "claude-sonnet-4-5@20250929", ["anthropic-messages"]],
    ["azure", "claude-sonnet-4-5", ["anthropic-messages"]],
    ["azure", "my-deployment", ["openai-chat", "openai-responses"]],
  ])("%s reaches %s by %j", (id, model, protocols) => {
    expect(speaking(id, model)).toEqual(protocols);
  });
});

describe.each(ROWS)("the row %s", (id, provider) => {
  test("is written as ids, labels and variables are", () => {
    expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    expect(provider.label.trim()).not.toBe("");
    expect(provider.auth.env.length).toBeGreaterThan(0);
    const variables = Object.values(provider.variables ?? {}).flatMap(({ env }) => env);
    for (const name of [...provider.auth.env, ...variables, ...(provider.baseUrlEnv ?? [])]) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/);
    }
  });

  test("has base URLs that parse, by https unless local, without a trailing slash", () => {
    const variables = completeVariables(provider, sampleVariables(provider));
    for (const template of [provider.baseUrl, ...surfaces(provider).map((s) => s.baseUrl)]) {
      if (template === undefined) continue;
      const url = new URL(fillPlaceholders(template, variables));
      expect(url.protocol).toBe(provider.local === true ? "http:" : "https:");
      expect(url.search + url.hash + url.username).toBe("");
      expect(template).not.toMatch(/\/$/);
    }
  });

  test("does something", () => {
    expect(surfaces(provider).length).toBeGreaterThan(0);
  });

  test("has a dialect that its protocol reads", () => {
    for (const { protocol, dialect } of provider.speaks) {
      const { anthropicVersionInBody, refuses = [], reasoningReplay, ...chatOnly } = dialect;
      if (protocol !== "openai-chat") expect(chatOnly).toEqual({});
      if (!protocol.startsWith("openai-")) expect(reasoningReplay).toBeUndefined();
      if (protocol !== "anthropic-messages") expect(anthropicVersionInBody).toBeUndefined();
      expect(new Set(refuses).size).toBe(refuses.length);
    }
  });

  test("sends a version with Anthropic Messages, in a header or the body", () => {
    for (const { protocol, dialect, headers } of provider.speaks) {
      if (protocol !== "anthropic-messages") continue;
      const version = dialect.anthropicVersionInBody ?? headers?.["anthropic-version"];
      expect(version).toMatch(/^(?:vertex-)?\d{4}-\d{2}-\d{2}$/);
    }
  });

  test("leads a usual model to its own origin", () => {
    const variables = sampleVariables(provider);
    const complete = completeVariables(provider, variables);
    for (const surface of surfaces(provider)) {
      for (const stream of [false, true]) {
        const url = buildUrl(provider, surface, { model: "model-1.5:free", stream, variables });
        const base = fillPlaceholders(surface.baseUrl ?? provider.baseUrl, complete);
        expect(url.href.startsWith(`${base}/`)).toBe(true);
      }
    }
  });

  test("refuses a hostile model where the model stands in the URL", () => {
    const variables = sampleVariables(provider);
    for (const surface of surfaces(provider)) {
      if (typeof surface.path === "string") continue;
      const build = (): URL =>
        buildUrl(provider, surface, { model: "../../admin?x=", stream: false, variables });
      expect(build).toThrow(/model name/);
    }
  });

  test("states retention with a source and a day, where it states it", () => {
    const { retention } = provider;
    if (retention === undefined) return;
    expect(new URL(retention.source).protocol).toBe("https:");
    expect(retention.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(Number.isNaN(Date.parse(retention.date))).toBe(false);
    expect(retention.days ?? 0).toBeGreaterThanOrEqual(0);
  });

  test("names rate-limit headers in lower case, and how resets are written", () => {
    const { resetFormat, ...headers } = provider.rateLimitHeaders ?? {};
    for (const name of Object.values(headers)) expect(name).toBe(name.toLowerCase());
    const resets = headers.resetRequests ?? headers.resetTokens;
    expect(resetFormat === undefined).toBe(resets === undefined);
  });

  test("checks a key by a path behind the base URL", () => {
    if (provider.checkPath) expect(provider.checkPath).toMatch(/^\/[a-z0-9/]+$/);
  });
});
