import { invalidRequest } from "#canonical/failure.ts";
import type { Candidate } from "#routing/candidate.ts";
import type { Found } from "#routing/find-candidates.ts";
import type { Market } from "#routing/market.ts";
import type { Ordered, OrderContext } from "#routing/order-candidates.ts";
import { orderInTiers } from "#routing/own-first.ts";
import { openOnes, toRoute, withinBounds, type Planning } from "#routing/planning.ts";
import type { SortBy } from "#routing/preferences.ts";
import type { Route } from "#routing/route.ts";

export type Suffix = "floor" | "nitro" | "";

/** OpenRouter's: the cheapest endpoint first, the fastest first. */
const SORT_OF: Readonly<Record<Suffix, SortBy | undefined>> = {
  floor: "price",
  nitro: "throughput",
  "": undefined,
};

/** A model's name without its `:floor` or `:nitro`. */
export function splitSuffix(name: string): { readonly base: string; readonly suffix: Suffix } {
  const match = /^(.*):(floor|nitro)$/.exec(name);
  if (match === null) return { base: name, suffix: "" };
  return { base: match[1] ?? name, suffix: match[2] as Suffix };
}

/** A name of the request and what was found for it. */
export interface Named {
  readonly found: Found;
  readonly suffix: Suffix;
}

/** The endpoints of one model, or of several sorted together, in the order of trying. */
export function modelRoutes(named: readonly Named[], planning: Planning): readonly Route[] {
  const { request, context, rejected } = planning;
  const { needs, preferences } = request;
  const suffix = named[0]?.suffix ?? "";
  const sort = sortOf(suffix, planning);
  const all = named.length === 1 ? (named[0]?.found.candidates ?? []) : joined(named);
  for (const { found } of named) for (const one of found.rejected) rejected.push(one);
  const fit = withinBounds(all, planning);
  const stickyKey = sort === undefined ? stickyKeyOf(fit, planning) : undefined;
  const moment: OrderContext = {
    needs,
    preferences,
    health: context.health,
    seed: context.seed,
    ...(sort !== undefined && { sort }),
    ...(stickyKey !== undefined && { stickyKey }),
  };
  const ordered = orderInTiers(fit, moment, tiersFor(named, context.market));
  const reason = reasonOf(ordered, suffix, sort);
  if (reason === "sticky") noteSticky(planning);
  return openOnes(ordered.standings, planning).map((standing, at) =>
    toRoute(standing, at === 0 ? reason : "fallback", needs),
  );
}

/** Endpoints of several models are sorted together: the caller compares the models themselves. */
const tiersFor = (named: readonly Named[], market: Market): Pick<Market, "ownOrder"> =>
  named.length === 1 ? market : {};

/** Of all names together, each endpoint once. */
function joined(named: readonly Named[]): readonly Candidate[] {
  const all = named.flatMap(({ found }) => found.candidates);
  const byKey = new Map(all.map((candidate) => [candidate.key, candidate]));
  return [...byKey.values()].toSorted((a, b) => a.blendedPrice - b.blendedPrice);
}

/** The suffix is a way to write `sort`; when both are there and differ, nobody knows what is meant. */
function sortOf(suffix: Suffix, { request }: Planning): SortBy | undefined {
  const asked = request.preferences.sort?.by;
  const own = SORT_OF[suffix];
  if (own === undefined || asked === undefined || own === asked) return own ?? asked;
  throw invalidRequest(
    "provider.sort",
    `model and provider.sort contradict each other: ":${suffix}" sorts by ${own}, provider.sort by ${asked}. Leave one of them out.`,
  );
}

function reasonOf({ reason }: Ordered, suffix: Suffix, sort: SortBy | undefined): string {
  if (reason !== "sort") return reason;
  return suffix === "" ? `sort:${sort}` : `asked:${suffix}`;
}

/** Shorter prompts are not cached by any provider. */
const LEAST_CACHED_TOKENS = 1_024;

/** The endpoint with the conversation's prompt cache, where that is worth anything. */
function stickyKeyOf(candidates: readonly Candidate[], planning: Planning): string | undefined {
  const { request, context } = planning;
  const { previous, preferences } = request;
  const { stickyMs } = context.market.policy;
  if (previous === undefined || stickyMs === undefined || previous.ageMs > stickyMs)
    return undefined;
  if (preferences.order !== undefined) return undefined;
  const held = candidates.find(({ key }) => key === previous.key);
  const prices = held?.endpoint.prices;
  const isCheaper = prices?.cacheRead !== undefined && prices.cacheRead < prices.input;
  return isCheaper && previous.cachedTokens >= LEAST_CACHED_TOKENS ? previous.key : undefined;
}

function noteSticky(planning: Planning): void {
  const { previous } = planning.request;
  if (previous === undefined) return;
  planning.sticky = { key: previous.key, cachedTokens: previous.cachedTokens };
}
