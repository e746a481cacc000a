import type { Failure } from "#canonical/failure.ts";
import type { BudgetCounter } from "#ledger/budget-counters.ts";
import type { CounterUnit, Refusal } from "#ledger/commands.ts";
import { formatSignedUsd, formatUsd } from "#lib/money.ts";
import type { Call } from "#pipeline/call.ts";
import type { CallMoney } from "#pipeline/call-money.ts";

/** When what other requests hold may be free again. */
const HELD_RETRY_MS = 1_000;

/** Why the ledger refused, for the caller: what is used up, how much of it, and when there is more. */
export function refusalFailure(call: Call, money: CallMoney, refusal: Refusal): Failure {
  if (refusal.by === "ended") return ENDED;
  if (refusal.by === "wallet") return walletFailure(call, money, refusal);
  const counter = money.counters.find(({ key }) => key.id === refusal.counterId);
  if (counter === undefined) return ENDED;
  if (refusal.by === "slot") return throttled(call, counter, refusal);
  return budgetFailure(call, counter, refusal);
}

const ENDED: Failure = {
  code: "conflict",
  message: "The request was held and ended before: it is not done twice.",
};

function budgetFailure(call: Call, counter: BudgetCounter, refusal: Refusal): Failure {
  const { unit } = counter;
  const named = nameOf(counter);
  const state = `${amount(refusal.used, unit)} of ${amount(refusal.limit, unit)} used`;
  if (refusal.untilHoldsEnd) {
    return {
      code: "budget_held",
      message: `${named} has ${state} and ${amount(refusal.pending, unit)} held by requests under way; this one does not fit beside them. Repeat it in a second. ${requestOf(call)}`,
      retryAfterMs: HELD_RETRY_MS,
    };
  }
  return {
    code: "budget_exhausted",
    message: `${named} does not allow this request: ${state}${affordable(refusal)}. ${renewal(counter)} ${requestOf(call)}`,
  };
}

function walletFailure(call: Call, money: CallMoney, refusal: Refusal): Failure {
  const { used, limit, pending } = refusal;
  const left = limit - used;
  const balance = formatSignedUsd(left);
  if (refusal.untilHoldsEnd) {
    return {
      code: "budget_held",
      message: `The credits of ${money.access.organization.name} (${balance} USD) are held by requests under way (${formatUsd(pending)} USD). Repeat the request in a second. ${requestOf(call)}`,
      retryAfterMs: HELD_RETRY_MS,
    };
  }
  return {
    code: "budget_exhausted",
    message: `The credits of ${money.access.organization.name} do not cover this request: ${balance} USD left${affordable(refusal)}. Add credits, ask for a smaller max_tokens or a cheaper model; GET /v1/credits shows the balance. ${requestOf(call)}`,
  };
}

const throttled = (call: Call, counter: BudgetCounter, refusal: Refusal): Failure => ({
  code: "rate_limited",
  message: `${nameOf(counter)} is used up (${amount(refusal.used, counter.unit)} of ${amount(refusal.limit, counter.unit)}): one request at a time goes on, and this key has one under way. ${renewal(counter)} ${requestOf(call)}`,
  retryAfterMs: HELD_RETRY_MS,
});

/** A budget that somebody has stopped. */
export const pausedFailure = (call: Call, counter: BudgetCounter): Failure => ({
  code: "budget_exhausted",
  message: `${nameOf(counter)} is paused: an administrator of the organization can resume it. ${requestOf(call)}`,
});

/** Nobody can say what it would cost, and it must not cost more than there is. */
export const priceUnknown = (call: Call): Failure => ({
  code: "price_unknown",
  field: "model",
  message: `No price is known for "${call.modelAsked.slice(0, 200)}", and a budget or prepaid credits bound this key: what cannot be priced is not let through. Ask for a model with a price (GET /v1/models), or let the operator set one (price override). ${requestOf(call)}`,
});

const nameOf = ({ budget, key }: BudgetCounter): string => {
  const { period } = budget.document;
  const of = key.subject === "" ? "" : ` for ${JSON.stringify(key.subject)}`;
  return `The budget "${budget.name}" (${period}${of})`;
};

const renewal = ({ key }: BudgetCounter): string =>
  key.periodEnd === null
    ? "It has no end: it must be raised or reset."
    : `It begins anew at ${new Date(key.periodEnd).toISOString()}.`;

const affordable = ({ affordableTokens }: Refusal): string =>
  affordableTokens < 0
    ? ", not enough for its input"
    : `, enough for max_tokens ${affordableTokens}`;

const requestOf = ({ exchange }: Call): string => `Request ${exchange.requestId}.`;

/** Nano-USD or tokens, as people read them. */
export const amount = (value: bigint, unit: CounterUnit): string =>
  unit === "usd" ? `${formatUsd(value)} USD` : `${value.toLocaleString("en")} tokens`;
