import type { JsonObject } from "#lib/json.ts";
import { formatUsd } from "#lib/money.ts";
import type { Sums } from "#store/rollup-sums.ts";

/** Bounds of the histogram of times to the first content, in milliseconds. */
const BOUNDS = [
  [250, "first_250"],
  [500, "first_500"],
  [1_000, "first_1000"],
  [2_000, "first_2000"],
  [5_000, "first_5000"],
  [10_000, "first_10000"],
  [30_000, "first_30000"],
] as const;

/** Sums as the API gives them: money as decimal text, shares from 0 to 1, times in milliseconds. */
export function reportRow(sums: Sums): JsonObject {
  const requests = Number(sums.requests);
  const input = Number(sums.input_tokens);
  return {
    requests,
    failed: Number(sums.failed),
    error_rate: share(sums.failed, requests),
    input_tokens: input,
    output_tokens: Number(sums.output_tokens),
    cache_read_tokens: Number(sums.cache_read_tokens),
    cache_write_tokens: Number(sums.cache_write_tokens),
    reasoning_tokens: Number(sums.reasoning_tokens),
    estimated_requests: Number(sums.estimated),
    charge_usd: usd(sums.charge_nano_usd),
    cost_usd: usd(sums.cost_nano_usd),
    loss_usd: usd(sums.loss_nano_usd),
    unpriced_requests: Number(sums.unpriced),
    cache_hit_rate: share(sums.cache_read_tokens, input),
    cache_saved_usd: usd(sums.cache_saved_nano_usd),
    savings: savings(sums),
    drift: drift(sums),
    latency: latency(sums),
  };
}

/** Against the flagship, over the requests for which there is one. */
function savings(sums: Sums): JsonObject {
  const [baseline, cost] = [BigInt(sums.baseline_nano_usd), BigInt(sums.baseline_cost_nano_usd)];
  return {
    requests: Number(sums.baselined),
    baseline_usd: usd(baseline),
    cost_usd: usd(cost),
    saved_usd: usd(baseline - cost),
    saved_share: share(baseline - cost, baseline),
  };
}

/** What providers say that they charge, beside what Turnpike has computed. */
function drift(sums: Sums): JsonObject {
  const [reported, computed] = [
    BigInt(sums.reported_nano_usd),
    BigInt(sums.reported_cost_nano_usd),
  ];
  return {
    requests: Number(sums.reported),
    reported_usd: usd(reported),
    computed_usd: usd(computed),
    difference_usd: usd(reported - computed),
    difference_share: share(reported - computed, computed),
  };
}

function latency(sums: Sums): JsonObject {
  const answered = Number(sums.answered);
  return {
    mean_ms: mean(sums.total_us, Number(sums.requests)),
    first_content_mean_ms: mean(sums.first_us, answered),
    first_content_p50_at_most_ms: quantile(sums, 0.5),
    first_content_p95_at_most_ms: quantile(sums, 0.95),
  };
}

/** The bound below which so many were; `null`: beyond the last bound, or nothing was answered. */
function quantile(sums: Sums, part: number): number | null {
  const answered = Number(sums.answered);
  const found = BOUNDS.find(([, name]) => answered > 0 && Number(sums[name]) >= answered * part);
  return found?.[0] ?? null;
}

const mean = (us: number | bigint, count: number): number | null =>
  count === 0 ? null : Math.round(Number(us) / count / 10) / 100;

const share = (part: number | bigint, whole: number | bigint): number | null =>
  Number(whole) === 0 ? null : Math.round((Number(part) / Number(whole)) * 1e6) / 1e6;

/** Nano-USD as decimal text; may be less than 0. */
export function usd(nanoUsd: number | bigint): string {
  const amount = BigInt(nanoUsd);
  return amount < 0n ? `-${formatUsd(-amount)}` : formatUsd(amount);
}
