import { describe, expect, test } from "vitest";

import { parseUsage } from "./parse-usage.ts";
import { renderUsage } from "./render-usage.ts";

describe("parseUsage", () => {
  test("adds the cache tokens, which the wire leaves out of the input", () => {
    const usage = parseUsage({
      input_tokens: 3,
      output_tokens: 50,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens_details: { thinking_tokens: 40 },
      server_tool_use: { web_search_requests: 2 },
    });
    expect(usage).toEqual({
      inputTokens: 133,
      outputTokens: 50,
      cacheReadTokens: 100,
      cacheWrite5mTokens: 10,
      cacheWrite1hTokens: 20,
      reasoningTokens: 40,
      webSearchRequests: 2,
    });
    expect(parseUsage(renderUsage(usage!, null))).toEqual(usage);
  });

  test("counts steps that compacted the context", () => {
    const step = (type: string) => ({ type, input_tokens: 1000, output_tokens: 100 });
    const iterations = [step("compaction"), step("message")];
    expect(parseUsage({ input_tokens: 1000, output_tokens: 100, iterations })).toEqual({
      inputTokens: 2000,
      outputTokens: 200,
    });
  });

  test("ignores numbers that cannot be", () => {
    expect(parseUsage({ input_tokens: -1, output_tokens: "x" })).toBeUndefined();
    expect(
      parseUsage({ input_tokens: 5, output_tokens: Number.NaN, cache_read_input_tokens: 1e30 }),
    ).toEqual({
      inputTokens: 5,
      outputTokens: 0,
    });
    expect(
      parseUsage({
        input_tokens: 5,
        output_tokens: 2,
        output_tokens_details: { thinking_tokens: 9 },
      }),
    ).toMatchObject({
      reasoningTokens: 2,
    });
  });
});
