import { describe, expect, test } from "vitest";
import { modelSlug, splitSnapshot } from "./model-slug.ts";

describe("modelSlug", () => {
  test.each([
    ["claude-sonnet-4-5", "claude-sonnet-4-5"],
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"],
    ["anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"],
    ["claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"],
    ["us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"],
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"],
    ["global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"],
    ["claude-opus-4-6@default", "claude-opus-4-6"],
    ["claude-4-sonnet-20250514", "claude-sonnet-4-20250514"],
    ["claude-4.5-sonnet", "claude-sonnet-4-5"],
    ["claude-opus-4-0", "claude-opus-4"],
    ["anthropic/claude-3.5-haiku", "claude-3-5-haiku"],
    ["claude-3-5-haiku-latest", "claude-3-5-haiku"],
    ["~anthropic/claude-sonnet-latest", "claude-sonnet-latest"],
    ["anthropic.claude-v2:1", "claude-v2:1"],
    ["GPT-5.1", "gpt-5.1"],
    ["openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06"],
    ["gpt-35-turbo", "gpt-3.5-turbo"],
    ["openai.gpt-oss-120b-1:0", "gpt-oss-120b"],
    ["openai/gpt-oss-120b-maas", "gpt-oss-120b"],
    ["meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"],
    ["Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b-instruct"],
    ["us.meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b-instruct"],
    ["accounts/fireworks/models/llama-v3p3-70b-instruct", "llama-3.3-70b-instruct"],
    ["llama-3.3-70b-versatile", "llama-3.3-70b-instruct"],
    ["@cf/meta/llama-3.2-1b-instruct", "llama-3.2-1b-instruct"],
    ["meta-llama/Llama-4-Maverick-17B-128E-Instruct", "llama-4-maverick"],
    ["meta.llama4-scout-17b-instruct-v1:0", "llama-4-scout"],
    ["accounts/fireworks/models/kimi-k2p6", "kimi-k2.6"],
    ["moonshotai/Kimi-K2-Instruct-0905", "kimi-k2-0905"],
    ["deepseek-ai/DeepSeek-V3-1", "deepseek-v3.1"],
    ["deepseek.v3-v1:0", "deepseek-v3.1"],
    ["deepseek.r1-v1:0", "deepseek-r1"],
    ["deepseek-ai/DeepSeek-V3-0324", "deepseek-v3-0324"],
    ["glm-4-7-251222", "glm-4.7-251222"],
    ["qwen2-5-72b-instruct", "qwen2.5-72b-instruct"],
    ["qwen/qwen-2.5-72b-instruct", "qwen2.5-72b-instruct"],
    ["doubao-seed-2-0-pro-260215", "doubao-seed-2.0-pro-260215"],
    ["grok-4-20-reasoning", "grok-4.20-reasoning"],
    ["xai/grok-4-0709", "grok-4-0709"],
    ["amazon/nova-pro-v1", "nova-pro"],
    ["us.amazon.nova-pro-v1:0", "nova-pro"],
    ["amazon.titan-embed-text-v2:0", "titan-embed-text-v2"],
    ["cohere.embed-english-v3", "embed-english-v3.0"],
    ["amazon.rerank-v1:0", "amazon-rerank-v1"],
    ["cohere.rerank-v3-5:0", "rerank-v3.5"],
    ["cohere-command-r-08-2024", "command-r-08-2024"],
    ["mistral.mistral-7b-instruct-v0:2", "mistral-7b-instruct-v0.2"],
    ["MiniMax-M2", "minimax-m2"],
  ])("%s is %s", (name, slug) => {
    expect(modelSlug(name)).toBe(slug);
  });

  test.each([
    ["meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
    ["Qwen/Qwen3-Coder-480B-A35B-Instruct", "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8"],
    ["openai/gpt-oss-20b", "openai/gpt-oss-20b:free"],
    ["gpt-4o-2024-05-13", "gpt-4o-2024-08-06"],
    ["anthropic.claude-v2", "anthropic.claude-v2:1"],
    ["amazon.titan-embed-text-v1", "amazon.titan-embed-text-v2:0"],
    ["deepseek-v3-0324", "deepseek-v3"],
    ["kimi-k2-0711-preview", "kimi-k2-0905-preview"],
    ["qwen3-235b-a22b", "qwen3-235b-a22b-2507"],
    ["claude-opus-4-8", "claude-opus-4-8-fast"],
    ["mistral-large-2411", "mistral-large-latest"],
    ["gpt-5.1-chat-latest", "gpt-5.1"],
    ["gemini-3-pro-preview", "gemini-3-pro-image-preview"],
  ])("%s and %s stay two models", (a, b) => {
    expect(modelSlug(a)).not.toBe(modelSlug(b));
  });

  test("a slug is its own slug", () => {
    for (const slug of [
      "claude-sonnet-4-5",
      "llama-3.3-70b-instruct",
      "gpt-oss-20b:free",
      "qwen2.5-72b-instruct",
    ]) {
      expect(modelSlug(slug)).toBe(slug);
    }
  });
});

describe("splitSnapshot", () => {
  test.each([
    ["gpt-4o-2024-08-06", "gpt-4o", "20240806"],
    ["claude-3-5-sonnet-20241022", "claude-3-5-sonnet", "20241022"],
    ["doubao-seed-2.0-pro-260215", "doubao-seed-2.0-pro", "20260215"],
    ["gemini-2.0-flash-001", "gemini-2.0-flash", "001"],
  ])("%s is %s of %s", (slug, base, snapshot) => {
    expect(splitSnapshot(slug)).toEqual({ base, snapshot });
  });

  test.each([
    "deepseek-v3-0324",
    "mistral-large-2411",
    "gemini-embedding-001",
    "gpt-4o",
    "kimi-k2-0905",
  ])("%s has no date that could be left out", (slug) => {
    expect(splitSnapshot(slug)).toEqual({ base: slug });
  });
});
