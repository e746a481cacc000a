import type { EffectivePolicy, Ruled } from "#governance/access.ts";
import { formatUsd } from "#lib/money.ts";

/**
 * What bounds a key, for whoever holds it: the parts that there are, without the levels that they come
 * from. Lists come one a level: all of the allowing ones hold, and each of the denying ones.
 */
export function briefPolicy(policy: EffectivePolicy): Readonly<Record<string, unknown>> {
  const { maxRequestNanoUsd, defaultMaxTokens, maxTokens, preference } = policy;
  const { maxInputPicoUsdPerToken: input, maxOutputPicoUsdPerToken: output } = policy;
  const lists = {
    allowed_models: valuesOf(policy.allowedModels),
    denied_models: valuesOf(policy.deniedModels),
    allowed_providers: valuesOf(policy.allowedProviders),
    denied_providers: valuesOf(policy.deniedProviders),
    allowed_endpoints: valuesOf(policy.allowedEndpoints),
    regions: valuesOf(policy.regions),
    denied_capabilities: [...policy.deniedCapabilities.keys()],
  };
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(policy.zeroRetention && { zero_retention: true }),
    ...(policy.noTraining && { no_training: true }),
    ...(maxRequestNanoUsd !== undefined && { max_request_usd: formatUsd(maxRequestNanoUsd) }),
    ...(input !== undefined && { max_input_usd_per_million: input / PICO_PER_MICRO }),
    ...(output !== undefined && { max_output_usd_per_million: output / PICO_PER_MICRO }),
    ...(defaultMaxTokens !== undefined && { default_max_tokens: defaultMaxTokens }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(preference !== undefined && { preference }),
    ...(policy.tasks.size > 0 && {
      tasks: Object.fromEntries([...policy.tasks].map(([task, { value }]) => [task, value])),
    }),
    ...(policy.guardrails.length > 0 && { guardrails: policy.guardrails.length }),
  };
}

/** A pico-USD a token is a micro-USD a million tokens. */
const PICO_PER_MICRO = 1e6;

const valuesOf = <Value>(ruled: readonly Ruled<Value>[]): readonly Value[] =>
  ruled.map(({ value }) => value);
