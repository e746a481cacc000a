import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import { globPattern, type NamePattern } from "#lib/glob.ts";
import { blendedPrice, type Candidate, type Needs } from "#routing/candidate.ts";
import { makeCandidates } from "#routing/find-candidates.ts";
import type { Market } from "#routing/market.ts";
import type { RoutingRules } from "#routing/policy.ts";

/** The endpoints of one model at one provider, cheapest first. */
export interface AutoGroup {
  readonly modelId: string;
  readonly provider: string;
  readonly candidates: readonly Candidate[];
}

/** For which requests it chooses. */
interface Choosing extends Pick<Needs, "operation" | "protocol"> {
  /** Models that cost nothing too: for whom may use no others. */
  readonly trials?: boolean;
}

/** Worked out once a market and protocol. */
const known = new WeakMap<Market, Map<string, readonly AutoGroup[]>>();

/**
 * What `auto` may choose from here: models for general use with a known price, newest first, each at
 * its cheapest provider before any at its second cheapest.
 */
function autoGroups(market: Market, needs: Choosing): readonly AutoGroup[] {
  let protocols = known.get(market);
  if (protocols === undefined) known.set(market, (protocols = new Map()));
  const key = `${needs.operation} ${needs.protocol} ${needs.trials === true}`;
  const before = protocols.get(key);
  if (before !== undefined) return before;
  const groups = eachModelFirst(
    market.catalog.models
      .filter((model) => isGeneral(model, needs))
      .toSorted((a, b) => ((a.released ?? "") < (b.released ?? "") ? 1 : -1))
      .map((model) => groupsOf(model, { market, needs })),
  );
  protocols.set(key, groups);
  return groups;
}

/** Of one policy and one market's list; both are replaced as a whole. */
const allowed = new WeakMap<RoutingRules["auto"], WeakMap<object, readonly AutoGroup[]>>();

/** Those of them that the policy lets `auto` use. */
export function eligibleGroups(
  market: Market,
  needs: Choosing,
  rules: RoutingRules["auto"],
): readonly AutoGroup[] {
  const groups = autoGroups(market, needs);
  if (rules.allow.length + rules.deny.length + rules.providers.length === 0) return groups;
  let lists = allowed.get(rules);
  if (lists === undefined) allowed.set(rules, (lists = new WeakMap()));
  const before = lists.get(groups);
  if (before !== undefined) return before;
  const allow = rules.allow.map(globPattern);
  const deny = rules.deny.map(globPattern);
  const fits = (patterns: readonly NamePattern[], { modelId, provider }: AutoGroup): boolean =>
    patterns.some((pattern) => pattern.test(modelId) || pattern.test(`${provider}/${modelId}`));
  const kept = groups.filter(
    (group) =>
      (allow.length === 0 || fits(allow, group)) &&
      !fits(deny, group) &&
      (rules.providers.length === 0 || rules.providers.includes(group.provider)),
  );
  lists.set(groups, kept);
  return kept;
}

function groupsOf(
  model: CatalogModel,
  { market, needs }: { readonly market: Market; readonly needs: Choosing },
): readonly AutoGroup[] {
  const candidates = market.catalog
    .endpointsOf(model.id)
    .filter((endpoint) => isEligible(endpoint, { market, needs }))
    .flatMap((endpoint) => makeCandidates(model, endpoint, { market, asked: needs }).candidates)
    .toSorted((a, b) => a.blendedPrice - b.blendedPrice);
  const byProvider = Map.groupBy(candidates, ({ endpoint }) => endpoint.provider);
  return [...byProvider].map(([provider, own]) => ({
    modelId: model.id,
    provider,
    candidates: own,
  }));
}

function eachModelFirst(models: readonly (readonly AutoGroup[])[]): readonly AutoGroup[] {
  const turns = Math.max(0, ...models.map((groups) => groups.length));
  return Array.from({ length: turns }, (_, turn) =>
    models.flatMap((groups) => groups[turn] ?? []),
  ).flat();
}

/**
 * Models for one purpose (search, audio, guarding), builds that change daily, and free ones with the
 * narrow limits of a trial are for those who name them.
 */
const SPECIAL =
  /nightly|experimental|-exp(-|$)|search|research|audio|realtime|guard|safeguard|-image|tts|computer-use|robotics|translate|-math-|-doc-|customtools|multi-agent|[:-]free$/;

/** A model that calls tools is one that follows a conversation: base models do not. */
const isGeneral = (
  { id, kind, deprecated, capabilities }: CatalogModel,
  { trials }: Choosing,
): boolean =>
  kind === "chat" &&
  deprecated === undefined &&
  capabilities.tools === true &&
  !SPECIAL.test(trials === true ? id.replace(/[:-]free$/, "") : id);

/** Models above this answer one hard question for the price of a thousand easy ones: never by default. */
const MAX_BLENDED_PRICE = 4 * 30e6;

function isEligible(
  { provider, prices, deprecated }: CatalogEndpoint,
  { market, needs }: { readonly market: Market; readonly needs: Choosing },
): boolean {
  const configured = market.providers.get(provider)?.[0];
  if (configured === undefined || prices === undefined || deprecated !== undefined) return false;
  // What costs nothing is a trial with narrow limits, except on the operator's own machine.
  const isTrial = prices.input + prices.output === 0 && configured.provider.local !== true;
  return (!isTrial || needs.trials === true) && blendedPrice(prices) <= MAX_BLENDED_PRICE;
}
