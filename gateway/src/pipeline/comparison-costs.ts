import type { Usage } from "#canonical/usage.ts";
import { costOfUsage } from "#ledger/cost-of-usage.ts";
import type { Call } from "#pipeline/call.ts";
import type { Answered } from "#pipeline/shadow.ts";
import type { CatalogEndpoint } from "#catalog/types.ts";

/** What reports compare a cost with. */
export interface ComparisonCosts {
  readonly providerReportedNanoUsd: bigint | null;
  readonly cacheSavedNanoUsd: bigint;
  readonly baselineNanoUsd: bigint | null;
}

const NOTHING: ComparisonCosts = {
  providerReportedNanoUsd: null,
  cacheSavedNanoUsd: 0n,
  baselineNanoUsd: null,
};

/** Beyond this a reported cost is a provider's fault. */
const MAX_REPORTED_USD = 10_000;

/**
 * What the same answer would have cost without a prompt cache, and at the flagship: the ablest model
 * that `auto` could have chosen, else the one that `routing.baseline` names.
 */
export function comparisonCosts(call: Call, answered: Answered | undefined): ComparisonCosts {
  if (answered?.usage === undefined) return NOTHING;
  const { usage } = answered;
  const { reportedCostUsd: reported } = usage;
  const isPossible = reported !== undefined && reported >= 0 && reported <= MAX_REPORTED_USD;
  return {
    providerReportedNanoUsd: isPossible ? BigInt(Math.round(reported * 1e9)) : null,
    cacheSavedNanoUsd: cacheSaved(usage, answered),
    baselineNanoUsd: baseline(call, answered, usage),
  };
}

/** Less than 0 where writes cost more than reads have saved. */
function cacheSaved(usage: Usage, { route, tier }: Answered): bigint {
  const { cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  if (cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens === 0) return 0n;
  const { prices } = route.endpoint;
  const uncached = {
    ...usage,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadAudioTokens: 0,
  };
  const [without, paid] = [uncached, usage].map(
    (one) => costOfUsage(one, prices, { tier }).nanoUsd,
  );
  return without === null || without === undefined || paid === null || paid === undefined
    ? 0n
    : without - paid;
}

function baseline(call: Call, { tier }: Answered, usage: Usage): bigint | null {
  const endpoint = flagshipOf(call);
  return endpoint === undefined ? null : costOfUsage(usage, endpoint.prices, { tier }).nanoUsd;
}

function flagshipOf({ plan, gateway, exchange }: Call): CatalogEndpoint | undefined {
  const { catalog, policy } = gateway.market();
  const { decision } = plan ?? {};
  if (decision !== undefined) return endpointOfKey(decision.flagship, catalog);
  if (policy.baseline === undefined || exchange.operation !== "chat") return undefined;
  return catalog
    .resolve(policy.baseline)
    ?.endpoints.filter(({ prices }) => prices !== undefined)
    .toSorted((a, b) => (a.prices?.output ?? 0) - (b.prices?.output ?? 0))[0];
}

/** `provider/upstream-model@credential`; the model may hold slashes and signs of its own. */
function endpointOfKey(
  key: string,
  catalog: ReturnType<Call["gateway"]["market"]>["catalog"],
): CatalogEndpoint | undefined {
  const slash = key.indexOf("/");
  return catalog.endpoint(key.slice(0, slash), key.slice(slash + 1, key.lastIndexOf("@")));
}
