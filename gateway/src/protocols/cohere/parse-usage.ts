import { asObject, isObject } from "#lib/json.ts";
import { partOf, tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";

/**
 * Reads `usage`. `tokens` counts what the model read and wrote; `billed_units`, which leaves out
 * Cohere's own prompt, stands in only where `tokens` is absent.
 */
export function parseUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const billed = asObject(usage["billed_units"]);
  const tokens = isObject(usage["tokens"]) ? usage["tokens"] : billed;
  const inputTokens = tokenCount(tokens["input_tokens"]) ?? 0;
  const cached = partOf(inputTokens, usage["cached_tokens"]);
  const units = tokenCount(billed["search_units"]) ?? 0;
  return {
    inputTokens,
    outputTokens: tokenCount(tokens["output_tokens"]) ?? 0,
    ...(cached !== undefined && { cacheReadTokens: cached }),
    ...(units > 0 && { searchUnits: units }),
  };
}
