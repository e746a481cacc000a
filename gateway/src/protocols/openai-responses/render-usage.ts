import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";
import type { AnswerContext } from "#protocols/codec.ts";

/** Writes `usage` with all members that the SDKs require, and what it costs where that is known. */
export function renderUsage(usage: Usage, { costUsd }: AnswerContext): JsonObject {
  const { inputTokens, outputTokens, cacheReadTokens = 0, reasoningTokens = 0 } = usage;
  const written = (usage.cacheWrite5mTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0);
  const cost = costUsd(usage);
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: written },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
    ...(cost !== null && { cost }),
  };
}
