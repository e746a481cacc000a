import { partOf, tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";
import { asNumber, asObject, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Dialect } from "#protocols/codec.ts";

/** xAI counts money in ticks of 1e-10 USD. */
const TICKS_PER_USD = 1e10;

/** Usage of a body or chunk; `undefined` when there is none (streams send `null` before the last). */
export function parseUsage(value: unknown, dialect: Dialect): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = tokenCount(value["prompt_tokens"] ?? value["input_tokens"]);
  const completion = tokenCount(value["completion_tokens"] ?? value["output_tokens"]);
  if (input === undefined && completion === undefined) return undefined;
  const inputTokens = input ?? 0;
  const outputTokens = outputTotal(value, completion ?? 0, dialect);
  const parts = {
    ...inputParts(value, inputTokens),
    ...outputParts(value, outputTokens),
    webSearchRequests: webSearchRequests(value),
    reportedCostUsd: reportedCost(value),
  };
  return { inputTokens, outputTokens, ...compact(parts) };
}

const reasoningTokens = (usage: JsonObject): number =>
  tokenCount(asObject(usage["completion_tokens_details"])["reasoning_tokens"]) ??
  tokenCount(usage["reasoning_tokens"]) ??
  0;

/**
 * xAI's chat leaves reasoning out of `completion_tokens` (total = prompt + completion + reasoning in
 * 130 of 130 recordings); Vercel's gateway sometimes does. The total tells which it is.
 */
function outputTotal(usage: JsonObject, completion: number, dialect: Dialect): number {
  const reasoning = reasoningTokens(usage);
  if (reasoning === 0) return completion;
  const total = tokenCount(usage["total_tokens"]);
  const beyondInput =
    total === undefined ? undefined : total - (tokenCount(usage["prompt_tokens"]) ?? 0);
  const excluded = dialect.usageExcludesReasoning === true || reasoning > completion;
  if (excluded && beyondInput !== completion) return completion + reasoning;
  return Math.max(completion, 0);
}

function inputParts(usage: JsonObject, total: number): JsonObject {
  const details = asObject(usage["prompt_tokens_details"]);
  // Moonshot has cached_tokens at the top, DeepSeek prompt_cache_hit_tokens. Azure's Grok reports
  // more cached tokens than there were: `partOf` clamps.
  const cacheRead =
    details["cached_tokens"] ?? usage["cached_tokens"] ?? usage["prompt_cache_hit_tokens"];
  const cacheReadTokens = partOf(total, cacheRead);
  const cacheWrite =
    details["cache_write_tokens"] ??
    details["cache_creation_input_tokens"] ??
    usage["cache_creation_input_tokens"];
  const inputAudioTokens = partOf(total, details["audio_tokens"]);
  const cachedAudio = asObject(details["cached_tokens_details"])["audio_tokens"];
  return {
    cacheReadTokens,
    cacheWrite5mTokens: partOf(total - (cacheReadTokens ?? 0), cacheWrite),
    inputAudioTokens,
    cacheReadAudioTokens: partOf(
      Math.min(inputAudioTokens ?? 0, cacheReadTokens ?? 0),
      cachedAudio,
    ),
    inputImageTokens: partOf(total, details["image_tokens"]),
  };
}

function outputParts(usage: JsonObject, total: number): JsonObject {
  const details = asObject(usage["completion_tokens_details"]);
  return {
    reasoningTokens: partOf(total, reasoningTokens(usage)),
    outputAudioTokens: partOf(total, details["audio_tokens"]),
    outputImageTokens: partOf(total, details["image_tokens"]),
  };
}

function webSearchRequests(usage: JsonObject): number | undefined {
  const tools = asObject(usage["server_tool_use"] ?? usage["server_tool_use_details"]);
  const count = tokenCount(tools["web_search_requests"] ?? usage["num_search_queries"]);
  return count === 0 ? undefined : count;
}

/** OpenRouter and Vercel: `cost` as a number; Perplexity: an object; xAI: ticks. */
function reportedCost(usage: JsonObject): number | undefined {
  const ticks = asNumber(usage["cost_in_usd_ticks"]);
  const cost =
    asNumber(usage["cost"]) ??
    asNumber(asObject(usage["cost"])["total_cost"]) ??
    (ticks === undefined ? undefined : ticks / TICKS_PER_USD);
  return cost !== undefined && cost >= 0 ? cost : undefined;
}
