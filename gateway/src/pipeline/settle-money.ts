import { GatewayError } from "#canonical/failure.ts";
import type { Charge, Ended, ProviderCost, Settle, Void } from "#ledger/commands.ts";
import { projectAccount } from "#ledger/ledger-state.ts";
import type { UsageCost } from "#ledger/cost-of-usage.ts";
import { costAt, type Call } from "#pipeline/call.ts";
import {
  asLoss,
  chargeAt,
  chargeFor,
  noCharge,
  type CallMoney,
  type Used,
} from "#pipeline/call-money.ts";
import { thresholdAlerts } from "#pipeline/threshold-alerts.ts";
import type { Route } from "#routing/route.ts";

/** How a request ended, as far as money is concerned. */
export interface Spent {
  /** What answered, or was at work when its client left; absent: nobody has anything to charge. */
  readonly route?: Route;
  readonly used?: Used;
  /** About what was used, by the gateway's own count: where the provider's cannot be. */
  readonly estimate?: () => Used;
  /** It broke off before anything came: the caller pays nothing. */
  readonly isEmpty: boolean;
  /** Its client has seen it, whatever becomes of its settlement. */
  readonly isDelivered: boolean;
}

/** What a request cost, what its caller is charged, and how that is booked. */
export interface Settlement {
  readonly cost: UsageCost;
  readonly charge: bigint | null;
  readonly command?: Settle | Void;
}

/** What is to be paid for an answer whose payer pays after it, in nano-USD. */
export function owedFor(call: Call, spent: Spent): bigint {
  const { route } = spent;
  const used = route === undefined ? undefined : trusted(call, route, spent);
  if (route === undefined || used === undefined || call.money === undefined) return 0n;
  return wantedOf(call, call.money, { route, used, isEmpty: spent.isEmpty }).told ?? 0n;
}

/** Reckons the charge: known before it is booked, so that record and ledger are written at once. */
export function settlementOf(call: Call, spent: Spent): Settlement {
  const { route } = spent;
  const { money } = call;
  const used = route === undefined ? undefined : trusted(call, route, spent);
  if (route === undefined || used === undefined) return released(call, money);
  const cost = costAt(route, used.usage, used.tier);
  if (money === undefined || money.ended) return { cost, charge: cost.nanoUsd };
  return charged(call, money, { route, used, cost, isEmpty: spent.isEmpty });
}

interface Answered {
  readonly route: Route;
  readonly used: Used;
  readonly isEmpty: boolean;
}

function charged(
  call: Call,
  money: CallMoney,
  { cost, ...answered }: Answered & { readonly cost: UsageCost },
): Settlement {
  const { charge, told } = wantedOf(call, money, answered);
  const isUnpaid = call.tab !== undefined && call.payment === undefined && told !== 0n;
  const booked = answered.isEmpty || isUnpaid ? asLoss(charge) : charge;
  const command = settleCommand(call, money, { ...booked, losses: lossesOf(call, booked) });
  return { cost, charge: isUnpaid ? 0n : told, ...(command !== undefined && { command }) };
}

/** `told`: what the caller pays of it; `null`: nobody knows. */
function wantedOf(
  call: Call,
  money: CallMoney,
  { route, used, isEmpty }: Answered,
): { readonly charge: Charge; readonly told: bigint | null } {
  const wanted = isEmpty ? { nanoUsd: 0n } : chargeAt(call, route, used);
  const charge = chargeFor(money, { route, used, nanoUsd: wanted.nanoUsd ?? 0n });
  return { charge, told: wanted.nanoUsd === null ? null : withinHold(money, charge) };
}

/** A usage that cannot be priced, although the route has a price, was counted wrongly. */
function trusted(call: Call, route: Route, { used, estimate }: Spent): Used | undefined {
  if (used === undefined || estimate === undefined) return used;
  const isPriced = route.endpoint.prices !== undefined;
  if (!isPriced || chargeAt(call, route, used).nanoUsd !== null) return used;
  return estimate();
}

function released(call: Call, money: CallMoney | undefined): Settlement {
  const cost: UsageCost = { nanoUsd: 0n };
  if (money === undefined || money.ended) return { cost, charge: 0n };
  const losses = lossesOf(call, noCharge(money));
  const { requestId: id } = call.exchange;
  const at = timeOf(call);
  if (money.hold !== undefined) {
    return { cost, charge: 0n, command: { type: "void", id, at, losses } };
  }
  if (losses.length === 0) return { cost, charge: 0n };
  const command = settleCommand(call, money, { ...noCharge(money), losses });
  return { cost, charge: 0n, ...(command !== undefined && { command }) };
}

/** What failed attempts may cost: the operator's loss. */
const lossesOf = ({ attempts }: Call, { losses = [] }: Charge): readonly ProviderCost[] => [
  ...losses,
  ...attempts.flatMap(({ provider, lossNanoUsd }) =>
    lossNanoUsd === null || lossNanoUsd === 0 ? [] : [{ provider, nanoUsd: BigInt(lossNanoUsd) }],
  ),
];

/** `undefined`: there is nothing to book, nor to count. */
function settleCommand(call: Call, money: CallMoney, charge: Charge): Settle | undefined {
  const { cost, losses = [], chargeNanoUsd, counters, tokens } = charge;
  const counts = counters.some(({ unit }) => (unit === "tokens" ? tokens > 0 : chargeNanoUsd > 0n));
  const isNothing = chargeNanoUsd === 0n && cost === undefined && losses.length === 0 && !counts;
  if (isNothing && money.hold === undefined) return undefined;
  return {
    type: "settle",
    id: call.exchange.requestId,
    at: timeOf(call),
    organizationId: money.access.organization.id,
    charge,
    ...(call.tab !== undefined && call.payment !== undefined && { deposit: call.payment.deposit }),
    held: money.hold !== undefined,
  };
}

/** Wall-clock time, without looking at a clock that may have jumped meanwhile. */
const timeOf = ({ exchange, gateway }: Call): number =>
  Math.round(exchange.startedAt + gateway.tick() - exchange.startedTick);

/** What the ledger will make of a charge; see `end-hold`. */
function withinHold({ hold }: CallMoney, { chargeNanoUsd, counters }: Charge): bigint {
  if (hold === undefined) return chargeNanoUsd;
  let most = hold.most ?? chargeNanoUsd;
  for (const { id, unit } of counters) {
    const held = hold.counters.find((one) => one.id === id);
    if (unit === "usd" && held !== undefined && held.amount < most) most = held.amount;
  }
  return chargeNanoUsd < most ? chargeNanoUsd : most;
}

/**
 * Books it. Where the store fails it is booked in the background: at its price what the client has
 * seen, as the operator's loss what it has not. Rejects with the store's failure all the same.
 */
export async function bookSettlement(
  call: Call,
  { command }: Settlement,
  { isDelivered }: Pick<Spent, "isDelivered">,
): Promise<void> {
  const { gateway, money, exchange } = call;
  if (command === undefined || money === undefined) return;
  money.ended = true;
  let ended: Ended;
  try {
    ended = await gateway.ledger.run(command);
    gateway.holds.end(exchange.requestId);
    report(call, money, ended);
  } catch (error) {
    gateway.holds.end(exchange.requestId);
    const isSeen = isDelivered || command.type === "void";
    gateway.holds.doLater(isSeen ? command : { ...command, charge: asLoss(command.charge) });
    throw error;
  }
  if (ended.outcome === "unknown") await giveUpDeposit(call, command);
}

/** What was to pay for the answer was used for another one meanwhile: it is not given. */
async function giveUpDeposit({ gateway, payment }: Call, command: Settle | Void): Promise<void> {
  if (command.type !== "settle" || command.deposit === undefined) return;
  const { deposit: _used, ...unpaid } = command;
  gateway.holds.doLater({ ...unpaid, charge: asLoss(command.charge) });
  if (payment === undefined || gateway.payments === undefined) return;
  throw new GatewayError(await gateway.payments.whyUnbooked(payment));
}

/** What a client was charged that got an error in the end: back to where it came from. */
export function refundUnanswered(call: Call, { command }: Settlement): void {
  if (command?.type !== "settle" || command.charge.chargeNanoUsd === 0n) return;
  const { charge, id, at, organizationId } = command;
  const { projectId } = charge;
  const amount = call.money === undefined ? 0n : withinHold(call.money, charge);
  if (amount === 0n) return;
  call.gateway.holds.doLater({
    type: "post",
    id: `${id}:refund`,
    at,
    kind: "refund",
    debitAccount: projectAccount(projectId),
    creditAccount: charge.walletId,
    amount,
    organizationId,
    projectId,
    requestId: id,
    memo: "the answer could not be recorded and was not given",
  });
}

/** Tells of budgets whose thresholds were passed, and of what must not be. */
function report(call: Call, money: CallMoney, ended: Ended): void {
  const { gateway, exchange } = call;
  const { requestId } = exchange;
  if (ended.excess > 0n) {
    const facts = { requestId, excessNanoUsd: String(ended.excess) };
    gateway.log.error(facts, "an answer cost more than was held for it: booked as a loss");
  }
  if (ended.outcome !== "done") {
    gateway.log.error({ requestId, state: ended.state }, "a request had been settled before");
  }
  const { emitAlert } = gateway;
  if (emitAlert === undefined) return;
  for (const alert of thresholdAlerts(money, ended.counted)) emitAlert(alert);
}

/** Whatever went wrong on the way: no hold of a request outlives it. */
export function abandonHold(call: Call): void {
  const { money, gateway, exchange } = call;
  if (money?.hold === undefined || money.ended) return;
  money.ended = true;
  gateway.holds.end(exchange.requestId);
  gateway.holds.doLater({ type: "void", id: exchange.requestId, at: timeOf(call) });
}
