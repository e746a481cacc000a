import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Candidate } from "#routing/candidate.ts";
import type { Market } from "#routing/market.ts";
import {
  byOrder,
  isClosed,
  isHeldBack,
  orderCandidates,
  type Ordered,
  type OrderContext,
  type Standing,
} from "#routing/order-candidates.ts";

/** Which credentials come first by the tenant's word: lower ones. All the same where it brought none. */
export function tierOf(
  { own }: ConfiguredProvider,
  { ownOrder }: Pick<Market, "ownOrder">,
): number {
  if (ownOrder === undefined) return 0;
  if (own !== undefined) return own.tier;
  return ownOrder === "platform-first" ? -1 : Infinity;
}

/**
 * Orders the endpoints of one model tier by tier, each as it would be by itself: the tenant's own keys
 * are used as long as they can be, however busy or slow, for the platform's cost it money. Those that
 * are kept away from, or are not yet trusted again, come last. The caller's `order` goes before all.
 */
export function orderInTiers(
  candidates: readonly Candidate[],
  context: OrderContext,
  market: Pick<Market, "ownOrder">,
): Ordered {
  if (market.ownOrder === undefined) return orderCandidates(candidates, context);
  const tiers = Map.groupBy(candidates, ({ configured }) => tierOf(configured, market));
  const { order, ...preferences } = context.preferences;
  const ordered = [...tiers]
    .toSorted(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1))
    .map(([, tier]) => orderCandidates(tier, { ...context, preferences }));
  const all = ordered.flatMap(({ standings }) => standings);
  const place = (standing: Standing): number =>
    isClosed(standing) ? 2 : isHeldBack(standing) ? 1 : 0;
  const standings = all.toSorted((a, b) => place(a) - place(b));
  if (order !== undefined) return { standings: byOrder(standings, order), reason: "order" };
  const [first] = standings;
  const why = ordered.find((tier) => tier.standings[0] === first)?.reason ?? "cheapest";
  const isOwn = first?.candidate.configured.own !== undefined;
  return { standings, reason: isOwn && why !== "sort" && why !== "sticky" ? "own" : why };
}

/** Among those for one model, those of lower tiers first; the models stay in their places. */
export function ownFirst<Known extends { readonly standing: Standing }>(
  known: readonly Known[],
  market: Market,
): readonly Known[] {
  if (market.ownOrder === undefined) return known;
  const place = ({ standing }: Known): number =>
    isHeldBack(standing) ? Infinity : tierOf(standing.candidate.configured, market);
  const byModel = Map.groupBy(known, ({ standing }) => standing.candidate.model.id);
  const sorted = new Map(
    [...byModel].map(([model, ones]) => [
      model,
      ones.toSorted((a, b) => (place(a) === place(b) ? 0 : place(a) < place(b) ? -1 : 1)).values(),
    ]),
  );
  return known.map((one) => sorted.get(one.standing.candidate.model.id)?.next().value ?? one);
}
