import type { EndpointHealth, HealthView } from "#health/endpoint-health.ts";
import { blendedPrice, pricesAt, type Candidate, type Needs } from "#routing/candidate.ts";
import { dice } from "#routing/dice.ts";
import type { ProviderPreferences, SortBy } from "#routing/preferences.ts";

/** A candidate at this moment. */
export interface Standing {
  readonly candidate: Candidate;
  readonly health: EndpointHealth;
  /** For the request's length; see `blendedPrice`. */
  readonly price: number;
  /** 0 comes first: sound, slower than preferred, faulty or full, still recovering, closed. */
  readonly rank: number;
  /** What it is compared by within its rank; less is better. */
  score: number;
}

export interface OrderContext {
  readonly needs: Needs;
  readonly health: HealthView;
  readonly seed: number;
  readonly preferences: ProviderPreferences;
  /** Overrides the preferences': the suffixes of a model's name. */
  readonly sort?: SortBy;
  /** The endpoint that holds the conversation's prompt cache. */
  readonly stickyKey?: string;
}

export interface Ordered {
  readonly standings: readonly Standing[];
  /** Why the first is first. */
  readonly reason:
    | "asked"
    | "order"
    | "sort"
    | "sticky"
    | "probe"
    | "cheapest"
    | "balanced"
    | "own";
}

/** Endpoints up to this multiple of the lowest price share the traffic. */
const NEAR_PRICE = 1.5;

/** So few are compared all with each other: two of two choices would often be the busier one. */
const FULL_SCAN = 4;

/**
 * Puts the endpoints of one model in the order of trying: the caller's `order`, else its `sort`,
 * else the endpoint with the prompt cache, else balanced between the sound ones of about the lowest
 * price; what is faulty, full or recovering comes behind. Closed endpoints are the last.
 */
export function orderCandidates(candidates: readonly Candidate[], context: OrderContext): Ordered {
  const sortBy = context.sort ?? context.preferences.sort?.by;
  const order = context.preferences.order;
  const standings = candidates.map((candidate) => standingOf(candidate, context));
  if (sortBy === undefined || sortBy === "price") byRankAndPrice(standings);
  else bySpeed(standings, sortBy);
  if (order !== undefined) {
    if (sortBy === undefined) balance(standings, context.seed);
    return { standings: byOrder(standings, order), reason: "order" };
  }
  if (sortBy !== undefined) return { standings, reason: "sort" };
  const balanced = balance(standings, context.seed);
  const sticky = standings.findIndex(({ candidate }) => candidate.key === context.stickyKey);
  if (sticky >= 0 && standings[sticky]?.health.state !== "open") {
    moveToFront(standings, sticky);
    return { standings, reason: "sticky" };
  }
  return { standings, reason: standings.length === 1 ? "asked" : balanced };
}

/** Kept away from; see `HealthState`. */
export const isClosed = ({ rank }: Standing): boolean => rank >= CLOSED;

/** Closed, or coming back and not having its turn now. */
export const isHeldBack = ({ rank }: Standing): boolean => rank >= RECOVERING;

/** Faulty, full, recovering or closed: behind all that are sound. */
export const isFaulty = ({ rank }: Standing): boolean => rank >= FAULTY;

/** Time to the first content that is to be expected for so much input. */
export const expectedFirstContentMs = (
  { firstContentMs, prefillMsPerToken = 0 }: EndpointHealth,
  inputTokens: number,
): number | undefined =>
  firstContentMs === undefined ? undefined : firstContentMs + prefillMsPerToken * inputTokens;

const SOUND = 0;
const FAULTY = 2;
const RECOVERING = 4;
const CLOSED = 6;

/** A candidate's health, price and rank for a request. */
export function standingOf(
  candidate: Candidate,
  context: Pick<OrderContext, "needs" | "health" | "seed" | "preferences">,
): Standing {
  const health = context.health.of(candidate.key);
  const { needs, preferences, seed } = context;
  const { endpoint } = candidate;
  const price =
    endpoint.prices?.longContext === undefined
      ? candidate.blendedPrice
      : blendedPrice(pricesAt(endpoint, needs.inputTokens));
  // Throwing the dice an endpoint at a time makes its turn independent of which others there are.
  const hasTurn = health.state !== "recovering" || dice(seed, candidate.salt) < health.weight;
  const rank = rankOf(health, hasTurn) + (isSlow(health, needs, preferences) ? 1 : 0);
  return { candidate, health, price, rank, score: price };
}

/** One that recovers has its turn as often as its weight says: so it gets its traffic back slowly. */
function rankOf({ state, inFlight, concurrencyLimit }: EndpointHealth, hasTurn: boolean): number {
  if (state === "open") return CLOSED;
  if (!hasTurn) return RECOVERING;
  if (state === "degraded" || inFlight >= concurrencyLimit) return FAULTY;
  return SOUND;
}

/** What was never measured is not held to be slow. */
function isSlow(
  health: EndpointHealth,
  { inputTokens }: Needs,
  { preferredMaxLatencyMs, preferredMinThroughput }: ProviderPreferences,
): boolean {
  if (preferredMaxLatencyMs === undefined && preferredMinThroughput === undefined) return false;
  return (
    (expectedFirstContentMs(health, inputTokens) ?? 0) > (preferredMaxLatencyMs ?? Infinity) ||
    (health.tokensPerSecond ?? Infinity) < (preferredMinThroughput ?? 0)
  );
}

/** Sorting is stable and the list is nearly sorted already: this is a pass over it. */
const byRankAndPrice = (standings: Standing[]): Standing[] =>
  standings.sort((a, b) => a.rank - b.rank || a.price - b.price);

function bySpeed(standings: Standing[], sort: "throughput" | "latency"): void {
  const measured = ({ health }: Standing): number | undefined =>
    sort === "latency"
      ? health.firstContentMs
      : health.tokensPerSecond === undefined
        ? undefined
        : -health.tokensPerSecond;
  const usual = usualOf(standings.map(measured)) ?? 0;
  for (const standing of standings) standing.score = measured(standing) ?? usual;
  standings.sort((a, b) => a.rank - b.rank || a.score - b.score || a.price - b.price);
}

/** Those of the listed providers in their order, whatever their health; closed ones stay last. */
export function byOrder(
  standings: readonly Standing[],
  order: readonly string[],
): readonly Standing[] {
  const places = new Map(order.map((provider, at) => [provider, at - order.length]));
  const place = ({ candidate, rank }: Standing): number =>
    rank >= CLOSED ? 1 : (places.get(candidate.endpoint.provider) ?? 0);
  return standings.toSorted((a, b) => place(a) - place(b));
}

/** Sets one of the best rank and about the lowest price in front. The list is by rank and price. */
function balance(standings: Standing[], seed: number): "probe" | "cheapest" | "balanced" {
  const [cheapest] = standings;
  if (cheapest === undefined || cheapest.rank >= CLOSED) return "cheapest";
  const limit = cheapest.price * NEAR_PRICE;
  const end = standings.findIndex(({ rank, price }) => rank !== cheapest.rank || price > limit);
  const near = end === -1 ? standings.length : end;
  score(standings, near);
  const probed = toProbe(standings, near, seed);
  if (probed >= 0) {
    moveToFront(standings, probed);
    return "probe";
  }
  const chosen =
    near > FULL_SCAN ? bestOfTwo(standings, near, seed) : bestOfAll(standings, near, seed);
  moveToFront(standings, chosen);
  return standings[0]?.price === cheapest.price ? "cheapest" : "balanced";
}

/**
 * An endpoint whose time away is up, and that no other request tries now: its weight alone would
 * never bring it a request, and it would stay away for good. Of several one by the dice.
 */
function toProbe(standings: readonly Standing[], near: number, seed: number): number {
  let found = -1;
  for (let at = 0; at < near; at++) {
    if (standings[at]?.health.state !== "probing") continue;
    if (found === -1 || isLuckier(standings[at], standings[found], seed)) found = at;
  }
  return found;
}

/**
 * Peak-EWMA: time to the first content × how many wait there already, by the share that it should
 * get. The inverse square of the price is OpenRouter's rule for sharing traffic between prices.
 */
function score(standings: readonly Standing[], near: number): void {
  const group = standings.slice(0, near);
  const usual = usualOf(group.map(({ health }) => health.firstContentMs)) ?? 1;
  const cheapest = group[0]?.price ?? 0;
  for (const standing of group) {
    const { firstContentMs = usual } = standing.health;
    standing.score = (firstContentMs * waiting(standing.health)) / share(standing, cheapest);
  }
}

/**
 * A request more, and those that wait there. One that recovers has its turn by the dice, so that it
 * gets its share where nobody waits anywhere; where many do, it may have fewer in that proportion.
 */
const waiting = ({ state, weight, inFlight }: EndpointHealth): number =>
  1 + (state === "recovering" ? inFlight / weight : inFlight);

/** How much of the traffic it should get beside the cheapest; of one that has its turn all of it. */
const share = ({ health, price }: Standing, cheapest: number): number =>
  (health.state === "recovering" ? 1 : health.weight) *
  (price > cheapest ? (cheapest / price) ** 2 : 1);

function bestOfAll(standings: readonly Standing[], near: number, seed: number): number {
  let best = 0;
  for (let at = 1; at < near; at++) {
    if (isBetter(standings[at], standings[best], seed)) best = at;
  }
  return best;
}

function isBetter(a: Standing | undefined, b: Standing | undefined, seed: number): boolean {
  if (a === undefined || b === undefined) return false;
  return a.score === b.score ? isLuckier(a, b, seed) : a.score < b.score;
}

const isLuckier = (a: Standing | undefined, b: Standing | undefined, seed: number): boolean =>
  a !== undefined &&
  b !== undefined &&
  dice(~seed, a.candidate.salt) < dice(~seed, b.candidate.salt);

function bestOfTwo(standings: readonly Standing[], near: number, seed: number): number {
  const shares = sharesOf(standings, near);
  const one = draw(shares, dice(seed, 1));
  shares[one] = 0;
  const other = draw(shares, dice(seed, 2));
  return isBetter(standings[other], standings[one], seed) ? other : one;
}

function sharesOf(standings: readonly Standing[], near: number): Float64Array {
  const cheapest = standings[0]?.price ?? 0;
  const shares = new Float64Array(near);
  for (let at = 0; at < near; at++) {
    const standing = standings[at];
    if (standing !== undefined) shares[at] = share(standing, cheapest);
  }
  return shares;
}

/** The place of one of them, each as likely as its share; `at` is in [0, 1). */
function draw(shares: Float64Array, at: number): number {
  let left = at * shares.reduce((sum, one) => sum + one, 0);
  const found = shares.findIndex((one) => (left -= one) < 0);
  return found === -1 ? shares.length - 1 : found;
}

function moveToFront(standings: Standing[], at: number): void {
  standings.unshift(...standings.splice(at, 1));
}

/** The median of those that are known: what the others are held to be like. */
function usualOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  // Nobody will ask.
  if (known.length === values.length) return undefined;
  return Float64Array.from(known).sort()[known.length >> 1];
}
