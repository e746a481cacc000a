import type { Usage } from "#canonical/usage.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

const cacheWrites = ({ cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 }: Usage): number =>
  cacheWrite5mTokens + cacheWrite1hTokens;

/** The `usage` object. `cost` is in USD, as OpenRouter's clients read it; left out when unknown. */
export function renderUsage(usage: Usage, costUsd: number | null): JsonObject {
  const written = cacheWrites(usage);
  return compact({
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: compact({
      cached_tokens: usage.cacheReadTokens ?? 0,
      cache_write_tokens: written === 0 ? undefined : written,
      audio_tokens: usage.inputAudioTokens ?? 0,
      image_tokens: usage.inputImageTokens,
    }),
    completion_tokens_details: compact({
      reasoning_tokens: usage.reasoningTokens ?? 0,
      audio_tokens: usage.outputAudioTokens ?? 0,
      image_tokens: usage.outputImageTokens,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    }),
    server_tool_use:
      usage.webSearchRequests === undefined
        ? undefined
        : { web_search_requests: usage.webSearchRequests },
    cost: costUsd ?? undefined,
  });
}
