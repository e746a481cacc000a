import { describe, expect, test } from "vitest";

import { baseUrlVariables, checkBaseUrl, isNearbyHost, trimOverlap } from "./base-url.ts";
import { PROVIDERS } from "./providers.ts";

describe("checkBaseUrl", () => {
  test.each([
    ["https://api.example.com/v1", "https://api.example.com/v1"],
    ["https://api.example.com/v1//", "https://api.example.com/v1"],
    [" https://api.example.com ", "https://api.example.com"],
    ["http://localhost:8000/v1", "http://localhost:8000/v1"],
    ["http://vllm:8000/v1/", "http://vllm:8000/v1"],
    ["http://192.168.1.5:11434", "http://192.168.1.5:11434"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("takes %j", (text, expected) => {
    expect(checkBaseUrl(text, "baseUrl")).toBe(expected);
  });

  test.each([
    ["", /is not a URL/],
    ["api.example.com", /is not a URL/],
    ["ftp://example.com", /https/],
    ["file:///etc/passwd", /https/],
    ["https://user:word@example.com", /password/],
    ["https://example.com/v1?key=1", /query/],
    ["https://example.com/#x", /fragment/],
    ["http://api.example.com/v1", /in the clear/],
  ])("refuses %j, naming the field", (text, reason) => {
    const check = (): string => checkBaseUrl(text, "OPENAI_BASE_URL");
    expect(check).toThrow(reason);
    expect(check).toThrow(/^OPENAI_BASE_URL /);
  });
});

describe("isNearbyHost", () => {
  test.each([
    "localhost",
    "127.0.0.1",
    "10.1.2.3",
    "172.20.0.1",
    "ollama",
    "gpu.local",
    "[fd00::1]",
  ])("%s is", (host) => {
    expect(isNearbyHost(host)).toBe(true);
  });

  test.each(["example.com", "172.32.0.1", "8.8.8.8", "localhost.example.com", "[2001:db8::1]"])(
    "%s is not",
    (host) => {
      expect(isNearbyHost(host)).toBe(false);
    },
  );
});

describe("trimOverlap", () => {
  test.each([
    ["https://api.anthropic.com/v1", "/v1/messages", "https://api.anthropic.com"],
    ["https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com"],
    ["https://r.openai.azure.com/openai/v1", "/openai/v1/responses", "https://r.openai.azure.com"],
    ["https://h.example/v1/chat/completions", "/chat/completions", "https://h.example/v1"],
    ["https://h.example/v1beta", "/v1beta/models/m:x?alt=sse", "https://h.example"],
    ["https://h.example/v1", "/chat/completions", "https://h.example/v1"],
    ["https://h.example/my-v1", "/v1/messages", "https://h.example/my-v1"],
  ])("%s before %s → %s", (base, path, expected) => {
    expect(trimOverlap(base, path)).toBe(expected);
  });
});

describe("baseUrlVariables", () => {
  test.each([
    ["openai", "OPENAI_BASE_URL"],
    ["anthropic", "ANTHROPIC_BASE_URL"],
    ["google", "GOOGLE_GEMINI_BASE_URL"],
    ["google", "GEMINI_BASE_URL"],
    ["azure", "AZURE_OPENAI_ENDPOINT"],
    ["alibaba-cn", "ALIBABA_CN_BASE_URL"],
    ["alibaba", "DASHSCOPE_BASE_URL"],
    ["volcengine", "ARK_BASE_URL"],
    ["ollama", "OLLAMA_BASE_URL"],
  ])("of %s hold %s", (id, name) => {
    expect(baseUrlVariables(id, PROVIDERS[id]!)).toContain(name);
  });
});
