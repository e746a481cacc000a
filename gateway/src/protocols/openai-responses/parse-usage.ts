import { asNumber, asObject, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { partOf, tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";

/** xAI reports what it charged in ticks of 10⁻¹⁰ USD. */
const USD_PER_TICK = 1e-10;

/** Reads `usage`; its totals are inclusive already. Counts that cannot be true are left out or cut. */
export function parseUsage(usage: unknown, toolUsage?: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const inputTokens = tokenCount(usage["input_tokens"]) ?? 0;
  const outputTokens = tokenCount(usage["output_tokens"]) ?? 0;
  const input = asObject(usage["input_tokens_details"]);
  const output = asObject(usage["output_tokens_details"]);
  const cached = partOf(inputTokens, input["cached_tokens"]);
  const written = partOf(inputTokens - (cached ?? 0), input["cache_write_tokens"]);
  const reasoning = partOf(outputTokens, output["reasoning_tokens"]);
  const searches = searchCount(usage, toolUsage);
  const cost = reportedCost(usage);
  return {
    inputTokens,
    outputTokens,
    ...(cached !== undefined && { cacheReadTokens: cached }),
    ...(written !== undefined && { cacheWrite5mTokens: written }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    ...(searches !== undefined && { webSearchRequests: searches }),
    ...(cost !== undefined && { reportedCostUsd: cost }),
  };
}

function searchCount(usage: JsonObject, toolUsage: unknown): number | undefined {
  const openai = tokenCount(asObject(asObject(toolUsage)["web_search"])["num_requests"]);
  const details = asObject(usage["server_side_tool_usage_details"]);
  const xai =
    (tokenCount(details["web_search_calls"]) ?? 0) + (tokenCount(details["x_search_calls"]) ?? 0);
  const searches = (openai ?? 0) + xai;
  return searches === 0 ? undefined : searches;
}

function reportedCost(usage: JsonObject): number | undefined {
  const cost = asNumber(usage["cost"]);
  if (cost !== undefined) return cost >= 0 ? cost : undefined;
  const ticks = asNumber(usage["cost_in_usd_ticks"]);
  return ticks === undefined || ticks < 0 ? undefined : ticks * USD_PER_TICK;
}
