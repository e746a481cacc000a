import { asNumber, asObject, asObjects } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";
import { partOf, tokenCount } from "#canonical/token-count.ts";

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly write5m: number;
  readonly write1h: number;
}

/** `undefined` when the object holds no count. `input_tokens` on the wire excludes all cache tokens. */
export function parseUsage(usage: JsonObject): Usage | undefined {
  const own = counts(usage);
  if (own === undefined) return undefined;
  const { input, output, cacheRead, write5m, write1h } = compactions(usage).reduce(sum, own);
  const reasoning = partOf(output, asObject(usage["output_tokens_details"])["thinking_tokens"]);
  const searches = tokenCount(asObject(usage["server_tool_use"])["web_search_requests"]);
  const cost = asNumber(usage["cost"]);
  return {
    inputTokens: input + cacheRead + write5m + write1h,
    outputTokens: output,
    ...(cacheRead > 0 && { cacheReadTokens: cacheRead }),
    ...(write5m > 0 && { cacheWrite5mTokens: write5m }),
    ...(write1h > 0 && { cacheWrite1hTokens: write1h }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    ...(searches !== undefined && searches > 0 && { webSearchRequests: searches }),
    ...(cost !== undefined && cost >= 0 && { reportedCostUsd: cost }),
  };
}

function counts(usage: JsonObject): Counts | undefined {
  const input = tokenCount(usage["input_tokens"]);
  const output = tokenCount(usage["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const written = tokenCount(usage["cache_creation_input_tokens"]) ?? 0;
  const byTtl = asObject(usage["cache_creation"]);
  const write1h = tokenCount(byTtl["ephemeral_1h_input_tokens"]) ?? 0;
  const write5m = tokenCount(byTtl["ephemeral_5m_input_tokens"]) ?? written - write1h;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: tokenCount(usage["cache_read_input_tokens"]) ?? 0,
    // The sum is authoritative where the parts fall short of it.
    write5m: Math.max(write5m, written - write1h, 0),
    write1h,
  };
}

/** Steps that compact the context are billed, but are left out of the totals of the answer. */
const compactions = (usage: JsonObject): Counts[] =>
  asObjects(usage["iterations"])
    .filter((step) => step["type"] === "compaction")
    .flatMap((step) => counts(step) ?? []);

const sum = (a: Counts, b: Counts): Counts => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  write5m: a.write5m + b.write5m,
  write1h: a.write1h + b.write1h,
});
