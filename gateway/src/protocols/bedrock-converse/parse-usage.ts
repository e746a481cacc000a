import { asObject, asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { partOf, tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";

/**
 * Reads `usage`. Bedrock's `inputTokens` leave out what was read from and written to the cache: total
 * = input + output + read + write in all recordings.
 */
export function parseUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const read = firstCount(usage, ["cacheReadInputTokens", "cacheReadInputTokenCount"]);
  const written = firstCount(usage, ["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
  const inputTokens = (tokenCount(usage["inputTokens"]) ?? 0) + read + written;
  const hour = partOf(written, hourTokens(usage)) ?? 0;
  const searches = tokenCount(asObject(usage["serverToolUsage"])["webSearchRequests"]) ?? 0;
  return {
    inputTokens,
    outputTokens: tokenCount(usage["outputTokens"]) ?? 0,
    ...(read > 0 && { cacheReadTokens: read }),
    ...(written > hour && { cacheWrite5mTokens: written - hour }),
    ...(hour > 0 && { cacheWrite1hTokens: hour }),
    ...(searches > 0 && { webSearchRequests: searches }),
  };
}

/** The same count has two names in newer answers. */
function firstCount(usage: JsonObject, names: readonly string[]): number {
  for (const name of names) {
    const count = tokenCount(usage[name]);
    if (count !== undefined) return count;
  }
  return 0;
}

const hourTokens = (usage: JsonObject): number =>
  asObjects(usage["cacheDetails"])
    .filter(({ ttl }) => ttl === "1h")
    .reduce((sum, { inputTokens }) => sum + (tokenCount(inputTokens) ?? 0), 0);
