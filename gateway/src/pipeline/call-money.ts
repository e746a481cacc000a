import type { ServiceTier, Usage } from "#canonical/usage.ts";
import type { Prices } from "#catalog/types.ts";
import type { Access } from "#governance/access.ts";
import { budgetCounters, type BudgetCounter, type Spender } from "#ledger/budget-counters.ts";
import { chargeMemo } from "#ledger/charge-memo.ts";
import { chargePrices } from "#ledger/charge-prices.ts";
import type { Charge, ProviderCost } from "#ledger/commands.ts";
import { costOfUsage, type UsageCost } from "#ledger/cost-of-usage.ts";
import { walletOf, type HeldCounter } from "#ledger/ledger-state.ts";
import { costAt, type Call, type ParsedCall } from "#pipeline/call.ts";
import { assess } from "#routing/auto/assess.ts";
import type { Plan, Route } from "#routing/route.ts";

/** Where a request is paid from, and what it counts for. */
export interface CallMoney {
  readonly access: Access;
  readonly walletId: string;
  readonly counters: readonly BudgetCounter[];
  /** What was held; absent: nothing bounds it. */
  hold?: HeldMoney;
  /** It has been charged or released, or will be in the background. */
  ended: boolean;
}

export interface HeldMoney {
  readonly amount: bigint;
  readonly outputTokens: number;
  readonly counters: readonly HeldCounter[];
  /** Nano-USD that it may be charged: what is held of its wallet, or what its payer has signed. */
  most?: bigint;
}

const NO_COUNTERS: readonly BudgetCounter[] = [];

/** What a request is paid from; nothing is looked up that the key's access does not hold. */
export function openMoney(call: Call, parsed: ParsedCall, plan: Plan): CallMoney | undefined {
  const { access } = call;
  if (access === undefined) return undefined;
  const { budgets, organization, wallet } = access;
  const counters =
    budgets.length === 0
      ? NO_COUNTERS
      : budgetCounters(budgets, spenderOf(call, access, parsed), modelsOf(plan));
  return { access, walletId: walletOf(wallet ?? organization.id), counters, ended: false };
}

function spenderOf(call: Call, access: Access, parsed: ParsedCall): Spender {
  const { exchange, gateway, endUser, options } = call;
  const { organization, project, key } = access;
  let task: string | undefined;
  return {
    organizationId: organization.id,
    projectId: project.id,
    keyId: key.id,
    timeZone: organization.timeZone,
    now: exchange.startedAt,
    endUser,
    tags: options?.tags ?? [],
    task: () => {
      task ??= call.plan?.decision?.assessment.taskClass;
      const input = task === undefined ? parsed.assessInput?.() : undefined;
      if (input !== undefined) {
        task = assess(input, undefined, gateway.market().adapter).taskClass;
      }
      return task;
    },
  };
}

/** All the routes that may answer: the plan's, and the operator's for failures. */
export function routesOf({ routes, onFailure }: Plan): readonly Route[] {
  const all = [...routes, ...Object.values(onFailure).flat()];
  return all.length === routes.length
    ? routes
    : [...new Map(all.map((route) => [route.key, route])).values()];
}

const modelsOf = (plan: Plan): readonly string[] => [
  ...new Set(routesOf(plan).map(({ model }) => model.id)),
];

/** Prices of an endpoint for a tenant with prices of its own; made once for both. */
const known = new WeakMap<object, Map<string, Prices | undefined>>();

/** With a key of its own a tenant pays its provider, and the operator a fee if that was agreed. */
const NO_FEE: Prices = {
  input: 0,
  output: 0,
  perRequestNanoUsd: 0,
  perWebSearchNanoUsd: 0,
  perSearchUnitNanoUsd: 0,
};

function overridesFor(
  { access }: Pick<Call, "access">,
  { configured }: Route,
): Access["priceOverrides"] {
  if (access === undefined) return [];
  if (configured.own === undefined) return access.priceOverrides;
  return [{ markupPercent: feePercent(access) - 100 }];
}

const feePercent = (access: Access | undefined): number =>
  access?.organization.settings.byokFeePercent ?? 0;

/** The demo's prices are made up, to be looked at; the free plan has it without any credit. */
const isUncharged = (access: Access | undefined, { configured, endpoint }: Route): boolean =>
  configured.own === undefined
    ? endpoint.provider === "demo" && access?.organization.plan === "free"
    : feePercent(access) === 0;

/** What a tenant is charged at a route; the provider's own prices, unless it has others. */
export function chargedPrices(call: Pick<Call, "access">, route: Route): Prices | undefined {
  const { access } = call;
  const { key, model, endpoint } = route;
  if (isUncharged(access, route)) return NO_FEE;
  const overrides = overridesFor(call, route);
  const { provider, prices } = endpoint;
  if (overrides.length === 0) return prices;
  // By prices, too: a catalogue that is read anew has others.
  const holder = prices ?? overrides;
  let byRoute = known.get(holder);
  if (byRoute === undefined) known.set(holder, (byRoute = new Map()));
  const id = `${key} ${access?.organization.id ?? ""} ${JSON.stringify(overrides)}`;
  if (byRoute.has(id)) return byRoute.get(id);
  const made = chargePrices(
    { model: model.id, provider, ...(prices !== undefined && { prices }) },
    overrides,
  );
  if (byRoute.size > MAX_KNOWN) byRoute.clear();
  byRoute.set(id, made);
  return made;
}

const MAX_KNOWN = 1_000;

/** What a caller is charged for a usage at a route. */
export function chargeAt(call: Call, route: Route, used: Used): UsageCost {
  const { usage, tier } = used;
  const prices = chargedPrices(call, route);
  const charge =
    prices === route.endpoint.prices
      ? costAt(route, usage, tier)
      : costOfUsage(usage, prices, { tier });
  return charge.nanoUsd !== null && charge.nanoUsd > MOST_NANO_USD ? IMPOSSIBLE : charge;
}

export interface Used {
  readonly usage: Usage;
  readonly tier: ServiceTier;
}

/** No answer costs 10,000 USD: whoever says so has counted wrongly. */
const MOST_NANO_USD = 10_000_000_000_000n;

const IMPOSSIBLE: UsageCost = { nanoUsd: null, reason: "the usage that was reported cannot be" };

/** The same in USD, for `usage.cost`; `null` when it is not known. */
export function chargeUsd(call: Call, route: Route, used: Used): number | null {
  const { nanoUsd } = chargeAt(call, route, used);
  return nanoUsd === null ? null : Number(nanoUsd) / 1e9;
}

/** What the operator owes a provider that has answered; `undefined`: nothing, or nobody knows. */
function providerCost(route: Route, { usage, tier }: Used): ProviderCost | undefined {
  if (route.configured.own !== undefined) return undefined;
  const { nanoUsd } = costAt(route, usage, tier);
  const isBookable = nanoUsd !== null && nanoUsd > 0n && nanoUsd <= MOST_NANO_USD;
  return isBookable ? { provider: route.endpoint.provider, nanoUsd } : undefined;
}

/** The charge for what a route has answered. `nanoUsd`: what the caller pays of it. */
export function chargeFor(
  money: CallMoney,
  answered: { readonly route: Route; readonly used: Used; readonly nanoUsd: bigint },
): Charge {
  const { route, used, nanoUsd } = answered;
  const cost = providerCost(route, used);
  return {
    walletId: money.walletId,
    projectId: money.access.project.id,
    chargeNanoUsd: nanoUsd,
    ...(cost !== undefined && { cost }),
    tokens: used.usage.inputTokens + used.usage.outputTokens,
    memo: chargeMemo(route.endpoint.upstreamModel, route.configured.own !== undefined),
    counters: money.counters.flatMap(({ key, unit, models }) =>
      models === undefined || models.has(route.model.id) ? [{ ...key, unit }] : [],
    ),
  };
}

/** The caller has nothing of it: what it cost is the operator's. */
export function asLoss({ cost, losses = [], ...charge }: Charge): Charge {
  return {
    ...charge,
    chargeNanoUsd: 0n,
    tokens: 0,
    counters: [],
    losses: cost === undefined ? losses : [...losses, cost],
  };
}

/** Nothing is charged; the counters of what failed stay as they are. */
export const noCharge = (money: CallMoney): Charge => ({
  walletId: money.walletId,
  projectId: money.access.project.id,
  chargeNanoUsd: 0n,
  tokens: 0,
  counters: [],
});
