import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";

/** The protocol's usage object, with the gateway's own `cost` in USD. */
export function renderUsage(usage: Usage, costUsd: number | null): JsonObject {
  const { cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  const written = cacheWrite5mTokens + cacheWrite1hTokens;
  const { reasoningTokens, webSearchRequests } = usage;
  return compact({
    input_tokens: Math.max(0, usage.inputTokens - cacheReadTokens - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cacheReadTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite5mTokens,
      ephemeral_1h_input_tokens: cacheWrite1hTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details:
      reasoningTokens === undefined ? undefined : { thinking_tokens: reasoningTokens },
    server_tool_use:
      webSearchRequests === undefined ? undefined : { web_search_requests: webSearchRequests },
    cost: costUsd,
  });
}

/** What stands in a message whose usage no one knows. */
export const NO_USAGE: JsonObject = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};
