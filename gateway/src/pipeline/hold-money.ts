import { GatewayError } from "#canonical/failure.ts";
import { limitOf } from "#ledger/budget-counters.ts";
import {
  isRefusal,
  type CostLine,
  type Refusal,
  type Reserve,
  type WalletLimit,
} from "#ledger/commands.ts";
import { parseUsd } from "#lib/money.ts";
import { worstCaseLine } from "#ledger/worst-case.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";
import {
  chargeAt,
  chargedPrices,
  chargeFor,
  openMoney,
  routesOf,
  type CallMoney,
} from "#pipeline/call-money.ts";
import { capRequest } from "#pipeline/cap-request.ts";
import {
  creditShort,
  giveBack,
  payForNothing,
  payForRequest,
  proofIsUsed,
  spentBefore,
  useProof,
} from "#pipeline/pay-for-request.ts";
import { keepRoutes } from "#pipeline/keep-routes.ts";
import { pausedFailure, priceUnknown, refusalFailure } from "#pipeline/money-refused.ts";
import { LEAST_USEFUL_TOKENS, wantedOutput } from "#pipeline/wanted-output.ts";
import type { Plan, Route } from "#routing/route.ts";

/**
 * Holds what a request may cost at worst, over all the routes that may answer it, at all levels at
 * once; where not all of it is affordable its output is cut to what is, and after that the routes are
 * left out that are too dear for what there is. Resolves with the plan without those, and without
 * routes whose price nobody knows where money bounds the request. Throws what is in the way.
 * Where nothing bounds the request nothing is held: it is charged when it is answered.
 */
export async function holdMoney(call: Call, parsed: ParsedCall, planned: Plan): Promise<Plan> {
  const plan = await holdWorstCase(call, parsed, planned);
  await useProof(call);
  return plan;
}

async function holdWorstCase(call: Call, parsed: ParsedCall, planned: Plan): Promise<Plan> {
  const money = openMoney(call, parsed, planned);
  if (money === undefined || parsed.spending === undefined) {
    if (call.payer !== undefined) await payForNothing(call);
    return planned;
  }
  call.money = money;
  call.answers = parsed.spending.answers;
  const going = withoutPaused(call, money, planned);
  const { plan, tokens: wantedTokens } = boundOutput(call, parsed, going);
  const wallet = walletLimit(money);
  const bounds = money.counters.filter(({ budget }) => budget.document.mode !== "soft");
  if (wallet === undefined && bounds.length === 0) return plan;
  const needsPrice = wallet !== undefined || bounds.some(({ unit }) => unit === "usd");
  const priced = pricedRoutes(call, parsed, { plan, needsPrice });
  if (priced.plan.routes.length === 0) throw new GatewayError(priceUnknown(call));
  return reserveAffordable({ call, parsed, money }, { ...priced, wanted: wantedTokens, wallet });
}

/** Holds for all routes; where that is refused, for those that are affordable, as long as there are any. */
async function reserveAffordable(holding: Holding, wanted: Wanted): Promise<Plan> {
  const { call, money } = holding;
  const asked = reserveCommand(holding, wanted);
  // What costs nothing and counts for nothing has nothing to wait for.
  const isForNothing = asked.counters.length === 0 && asked.lines.every(isFree);
  if (isForNothing && !paysLeast(call)) return wanted.plan;
  const command = await payForRequest(call, asked);
  const refusal = await reserve(call, money, command);
  if (refusal === undefined) return wanted.plan;
  if (refusal.by === "use") throw new GatewayError(await spentBefore(call, command));
  const { affordableLines: fitting } = refusal;
  const isCredit = refusal.by === "wallet" && isByCredit(call);
  const failure = isCredit
    ? creditShort(call, command, refusal)
    : refusalFailure(call, money, refusal);
  const kept = new Set(wanted.routes.filter((_route, at) => fitting.includes(at)));
  const plan = keepRoutes(wanted.plan, (route) => kept.has(route));
  if (plan.routes.length === 0) throw new GatewayError(failure);
  const left = wanted.routes.filter((route) => !kept.has(route));
  (call.skipped ??= []).push(...left.map(({ key }) => ({ key, reason: failure.message })));
  // What there is may have changed meanwhile; each turn has fewer routes.
  return reserveAffordable(holding, {
    ...wanted,
    plan,
    routes: [...kept],
    lines: wanted.lines.filter((_line, at) => fitting.includes(at)),
  });
}

/** Its wallet's credit pays for it: also what was settled for an answer that could not be given. */
const isByCredit = ({ payer }: Call): boolean =>
  payer?.kind === "wallet" || payer?.presented?.scheme === "upto";

/** The routes that count for no budget which somebody has stopped. */
function withoutPaused(call: Call, money: CallMoney, plan: Plan): Plan {
  const paused = money.counters.filter(({ budget }) => budget.pausedAt !== null);
  const [first] = paused;
  if (first === undefined) return plan;
  const failure = pausedFailure(call, first);
  const counts = ({ model }: Route): boolean =>
    paused.some(({ models }) => models === undefined || models.has(model.id));
  const going = keepRoutes(plan, (route) => !counts(route));
  if (going.routes.length === 0) throw new GatewayError(failure);
  const left = routesOf(plan).filter(counts);
  (call.skipped ??= []).push(...left.map(({ key }) => ({ key, reason: failure.message })));
  return going;
}

/** Who pays by itself pays something, whatever it asks for. */
const paysLeast = ({ payer }: Call): boolean => payer !== undefined && payer.kind !== "wallet";

const isFree = ({ basePicoUsd, outputPicoUsd }: CostLine): boolean =>
  basePicoUsd === 0n && outputPicoUsd === 0n;

/** Holds it; resolves with the refusal where it is refused. */
async function reserve(
  call: Call,
  money: CallMoney,
  command: Reserve,
): Promise<Refusal | undefined> {
  const { gateway, exchange } = call;
  try {
    await gateway.holds.begin(command.id);
    const reply = await gateway.ledger.run(command);
    if (command.uses !== undefined) proofIsUsed(call);
    if (isRefusal(reply)) {
      gateway.holds.end(command.id);
      return reply;
    }
    const { amount, outputTokens, counters } = reply;
    const most = command.wallet === undefined ? call.tab?.most : amount;
    money.hold = { amount, outputTokens, counters, ...(most !== undefined && { most }) };
    if (command.wantedTokens > 0) call.outputBound = outputTokens;
    if (outputTokens < command.wantedTokens) call.clampedTo = outputTokens;
    return undefined;
  } catch (error) {
    gateway.holds.end(command.id);
    // It may have been held although nobody could say so: nothing was sent anywhere.
    const isUnclear = error instanceof GatewayError && error.failure.code === "store_unavailable";
    if (!isUnclear) throw error;
    const { payment } = call;
    gateway.holds.doLater(giveBack(command.id, exchange.startedAt, payment));
    throw payment === undefined ? error : new GatewayError(await spentBefore(call, command));
  }
}

/** Prepaid plans are paid from their wallet; enterprises owe, unless they have agreed on a limit. */
function walletLimit({ access, walletId }: CallMoney): WalletLimit | undefined {
  const { plan, settings } = access.organization;
  const { creditLimitUsd } = settings;
  if (plan === "enterprise" && creditLimitUsd === undefined) return undefined;
  return { id: walletId, lowest: creditLimitUsd === undefined ? 0n : -parseUsd(creditLimitUsd) };
}

/** The output that a request may have by its policy, written into it, and the routes that may give it. */
function boundOutput(
  call: Call,
  parsed: ParsedCall,
  planned: Plan,
): { readonly plan: Plan; readonly tokens: number } {
  const wanted = wantedOutput(call.access, parsed.spending, planned);
  if (wanted.bound !== undefined) call.outputBound = wanted.bound;
  const leastTokens = Math.min(LEAST_USEFUL_TOKENS, wanted.tokens);
  const capped = capRequest(call, parsed, { plan: planned, tokens: wanted.tokens, leastTokens });
  const isCapped = call.access?.policy.maxRequestNanoUsd !== undefined;
  if (isCapped && wanted.tokens > 0) call.outputBound = capped.tokens;
  if (capped.tokens < wanted.tokens) call.clampedTo = capped.tokens;
  return capped;
}

interface Priced {
  readonly plan: Plan;
  readonly routes: readonly Route[];
  readonly lines: readonly CostLine[];
}

/** The routes with what each costs at worst; those without a price are left out where money is a bound. */
function pricedRoutes(
  call: Call,
  parsed: ParsedCall,
  { plan, needsPrice }: { readonly plan: Plan; readonly needsPrice: boolean },
): Priced {
  const lines = new Map<Route, CostLine>();
  for (const route of routesOf(plan)) {
    const bound = parsed.spending?.boundOf(route);
    if (bound === undefined) continue;
    const line = worstCaseLine(chargedPrices(call, route), bound);
    if (line !== undefined) lines.set(route, line);
    else if (!needsPrice) lines.set(route, { ...UNPRICED, inputTokens: bound.inputTokens });
  }
  const isWhole = lines.size === routesOf(plan).length;
  return {
    plan: isWhole ? plan : keepRoutes(plan, (route) => lines.has(route)),
    routes: [...lines.keys()],
    lines: [...lines.values()],
  };
}

const UNPRICED = { basePicoUsd: 0n, outputPicoUsd: 0n } as const;

interface Holding {
  readonly call: Call;
  readonly parsed: ParsedCall;
  readonly money: CallMoney;
}

interface Wanted extends Priced {
  /** Output tokens. */
  readonly wanted: number;
  readonly wallet: WalletLimit | undefined;
}

function reserveCommand({ call, parsed, money }: Holding, priced: Wanted): Reserve {
  const { exchange, gateway } = call;
  const { routes, lines, wanted, wallet } = priced;
  const { organization, key } = money.access;
  const models = routes.map(({ model }) => model.id);
  const [first] = routes;
  return {
    type: "reserve",
    id: exchange.requestId,
    at: exchange.startedAt,
    organizationId: organization.id,
    owner: gateway.holds.owner,
    deadline: exchange.startedAt + gateway.timeouts().totalMs,
    ...(wallet !== undefined && { wallet }),
    counters: money.counters.flatMap((counter) => limitOf(counter, models, key.id) ?? []),
    lines,
    answers: parsed.spending?.answers ?? 1,
    wantedTokens: wanted,
    leastTokens: Math.min(LEAST_USEFUL_TOKENS, wanted),
    fallback: inputOnly({ call, parsed, money }, first),
  };
}

/** What a request is charged whose process dies before the answer began: its input. */
function inputOnly(
  { call, parsed, money }: Holding,
  route: Route | undefined,
): Reserve["fallback"] {
  if (route === undefined) throw new Error("a plan without routes holds nothing");
  const used = {
    usage: { inputTokens: parsed.needs.inputTokens, outputTokens: 0, estimated: true },
    tier: "default",
  } as const;
  const nanoUsd = chargeAt(call, route, used).nanoUsd ?? 0n;
  return chargeFor(money, { route, used, nanoUsd });
}
