import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { CostLine } from "#ledger/commands.ts";
import { worstCaseLine } from "#ledger/worst-case.ts";
import { formatUsd } from "#lib/money.ts";
import type { Call, ParsedCall, Spending } from "#pipeline/call.ts";
import { chargedPrices, routesOf } from "#pipeline/call-money.ts";
import { keepRoutes } from "#pipeline/keep-routes.ts";
import { ruleWords } from "#routing/governance-bounds.ts";
import type { Plan, Route } from "#routing/route.ts";

const PICO_PER_NANO = 1_000n;

interface Capped {
  readonly plan: Plan;
  readonly tokens: number;
}

interface Wanted extends Capped {
  /** Fewer output tokens than these are no answer. */
  readonly leastTokens: number;
}

/**
 * Keeps a request's worst case within its policy's `maxRequestUsd`: the output is cut to what the first
 * route that can answer at all may write for it, and the routes that would cost more than the cap even
 * then are left out. Throws `policy_denied`, naming the level, where none is left.
 */
export function capRequest(call: Call, { spending }: ParsedCall, wanted: Wanted): Capped {
  if (spending === undefined) return wanted;
  const { plan, tokens, left } = capPlan(call, spending, {
    ...wanted,
    about: ` Request ${call.exchange.requestId}.`,
  });
  if (left.length > 0) {
    (call.skipped ??= []).push(...left.map(({ route: { key }, reason }) => ({ key, reason })));
  }
  return { plan, tokens };
}

interface CappedPlan extends Capped {
  /** The routes that are left out, and why. */
  readonly left: readonly { readonly route: Route; readonly reason: string }[];
}

/** The same without a call: what it would be cut to. `about` ends the refusal's words. */
export function capPlan(
  who: Pick<Call, "access">,
  spending: Spending,
  wanted: Wanted & { readonly about?: string },
): CappedPlan {
  const { plan, about = "" } = wanted;
  const cap = who.access?.policy.maxRequestNanoUsd;
  if (cap === undefined) return { plan, tokens: wanted.tokens, left: [] };
  const lines = linesOf(who, spending, plan);
  const affordable = (route: Route): number =>
    tokensFor(cap, lines.get(route), { answers: spending.answers, most: wanted.tokens });
  const first = plan.routes.find((route) => affordable(route) >= wanted.leastTokens);
  if (first === undefined) throw new GatewayError(overCap(lines, capWords(who, cap), about));
  const tokens = affordable(first);
  const stays = (route: Route): boolean => affordable(route) >= tokens;
  const reason = `its worst case is dearer than ${capWords(who, cap)}`;
  const left = routesOf(plan).flatMap((route) => (stays(route) ? [] : [{ route, reason }]));
  return { plan: left.length === 0 ? plan : keepRoutes(plan, stays), tokens, left };
}

/** What each route costs at worst; without those whose price is not known: they may cost anything. */
function linesOf(
  who: Pick<Call, "access">,
  { boundOf }: Spending,
  plan: Plan,
): ReadonlyMap<Route, CostLine> {
  const lines = new Map<Route, CostLine>();
  for (const route of routesOf(plan)) {
    const line = worstCaseLine(chargedPrices(who, route), boundOf(route));
    if (line !== undefined) lines.set(route, line);
  }
  return lines;
}

/** How many output tokens, up to `most`, a cap pays for; -1: not even the input. */
function tokensFor(
  cap: bigint,
  line: CostLine | undefined,
  { answers, most }: { readonly answers: number; readonly most: number },
): number {
  if (line === undefined) return -1;
  const rest = cap * PICO_PER_NANO - line.basePicoUsd;
  if (rest < 0n) return -1;
  const each = line.outputPicoUsd * BigInt(answers);
  return each === 0n ? most : Math.min(most, Number(rest / each));
}

function capWords({ access }: Pick<Call, "access">, cap: bigint): string {
  const origin = access?.policy.origins.maxRequestNanoUsd;
  const who = origin === undefined ? "the policy" : ruleWords(origin);
  return `${who} allows (maxRequestUsd ${formatUsd(cap)})`;
}

function overCap(lines: ReadonlyMap<Route, CostLine>, allowed: string, about: string): Failure {
  const bases = [...lines.values()].map(({ basePicoUsd }) => basePicoUsd);
  const least = bases.toSorted((one, other) => (one < other ? -1 : 1))[0];
  const input =
    least === undefined
      ? "no price is known for it"
      : `its input alone may cost ${formatUsd((least + PICO_PER_NANO - 1n) / PICO_PER_NANO)} USD`;
  return {
    code: "policy_denied",
    message: `At worst this request costs more than ${allowed}: ${input}, and what is left pays for no useful answer. Shorten it, ask for a cheaper model or fewer answers, or ask whoever administers the policy.${about}`,
  };
}
