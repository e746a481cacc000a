import { createHash } from "node:crypto";

import { GatewayError, invalidRequest, type Failure } from "#canonical/failure.ts";
import { isRefusal, type Refusal, type Reserve, type Void } from "#ledger/commands.ts";
import { worstCaseNanoUsd } from "#ledger/reserve.ts";
import { formatUsd } from "#lib/money.ts";
import type { Collected } from "#payments/paid-payment.ts";
import type { Payer, PaymentDesk, Purchase } from "#payments/payment-desk.ts";
import { PROOF_USED, required } from "#payments/payment-failures.ts";
import type { Price } from "#payments/payment-terms.ts";
import type { Call } from "#pipeline/call.ts";
import { asLoss } from "#pipeline/call-money.ts";
import { refusalFailure } from "#pipeline/money-refused.ts";
import { takeTabPlace } from "#pipeline/take-limits.ts";
import type { Exchange } from "#pipeline/exchange.ts";
import type { Gateway } from "#pipeline/gateway.ts";

/**
 * Takes what a request without a key costs at worst, before anything is sent upstream. Resolves with
 * the command that books it together with the request's hold; throws `payment_required` with the price.
 * A wallet that has proved itself pays from its credit: nothing is taken here.
 */
export async function payForRequest(call: Call, command: Reserve): Promise<Reserve> {
  const { payer, gateway } = call;
  const { payments } = gateway;
  if (payer === undefined || payments === undefined) return command;
  // It gets what it has signed for, or the price: never a shorter answer.
  const whole = { ...command, leastTokens: command.wantedTokens };
  if (payer.kind === "wallet") return payer.proof ? { ...whole, uses: [payer.proof] } : whole;
  if (call.payment !== undefined) return { ...whole, deposit: call.payment.deposit };
  if (call.tab !== undefined) return onTab(whole);
  const price = meteredPrice(call, quoteOf(payments, command));
  if (price.nanoUsd > payments.most) throw tooDear(price, payments);
  await checkBudgets(call, whole);
  const purchase = {
    ...purchaseOf(call, payer),
    enter: () => takeTabPlace(call, payments.uptoAtOnce),
  };
  const taken = await payments.takeOrOpen(payer, price, purchase);
  if ("settle" in taken) {
    call.tab = { ...taken, isOver: false, timer: endBefore(call, taken.settleBefore) };
    return onTab(whole);
  }
  call.payment = taken;
  return { ...whole, deposit: taken.deposit };
}

/**
 * What is paid after its answer is not held of a wallet, and all other bounds hold for it. Where nobody
 * settles it, nobody is charged.
 */
function onTab({ wallet: _none, ...command }: Reserve): Reserve {
  return { ...command, fallback: asLoss(command.fallback) };
}

/** An answer that came later could not be settled any more. */
function endBefore(call: Call, at: number): NodeJS.Timeout {
  const { exchange, gateway } = call;
  const now = exchange.startedAt + gateway.tick() - exchange.startedTick;
  return setTimeout(() => call.cut?.(SIGNED_TOO_SHORT), Math.max(1, at - now));
}

const SIGNED_TOO_SHORT: Failure = {
  code: "upstream_timeout",
  message:
    "The answer takes longer than the payment was signed for, and nothing was settled. Ask for less, stream it and pay by exact, or let the operator raise payments.x402.maxTimeoutSeconds.",
};

/**
 * Settles what an answer cost whose payer pays after it, once; nothing for all others. Resolves with why
 * it was not paid: then the answer is not given.
 */
export async function payAfterwards(call: Call, owed: bigint): Promise<Failure | undefined> {
  const { tab, money } = call;
  if (tab === undefined || tab.isOver) return undefined;
  tab.isOver = true;
  clearTimeout(tab.timer);
  try {
    const payment = await tab.settle(owed);
    if (payment === undefined) return undefined;
    call.payment = payment;
    if (money?.hold !== undefined) money.hold.most = payment.deposit.amount;
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.failure;
    throw error;
  }
}

/** Budgets above the wallet are looked at before anything is taken: nobody pays for a refusal. */
async function checkBudgets(call: Call, command: Reserve): Promise<void> {
  const { money, gateway } = call;
  if (money === undefined || command.counters.length === 0) return;
  const { wallet: _wallet, ...asked } = command;
  const reply = await gateway.ledger.run<Reserve>({ ...asked, trial: true });
  if (!isRefusal(reply) || reply.affordableLines.length > 0) return;
  throw new GatewayError(refusalFailure(call, money, reply));
}

/** The same for what costs nothing but the least price: its payment becomes credit. */
export async function payForNothing(call: Call): Promise<void> {
  const { payer, gateway } = call;
  const { payments } = gateway;
  if (payer === undefined || payments === undefined || payer.kind === "wallet") return;
  const price = priceOf(call, payments.least);
  const collected = (call.payment = await payments.take(payer, price, purchaseOf(call, payer)));
  await bookPayment(gateway, payments, collected);
}

/** Undoes what may have been held and used up although nobody could say so: nothing was sent anywhere. */
export const giveBack = (requestId: string, at: number, payment?: Collected): Void => ({
  type: "void",
  id: requestId,
  at,
  ...(payment !== undefined && { uses: [{ kind: "return", id: payment.id, requestId }] }),
});

/** Books what was paid for nothing else. Throws why it could not be. */
export async function bookPayment(
  { ledger, holds }: Pick<Gateway, "ledger" | "holds">,
  payments: PaymentDesk,
  collected: Collected,
): Promise<void> {
  const { deposit, use } = collected;
  const booked = await ledger.run(deposit).catch(() => undefined);
  if (booked === undefined) holds.doLater(giveBack(use.requestId, use.at, collected));
  if (booked === undefined || booked.outcome === "unknown") {
    throw new GatewayError(await payments.whyUnbooked(collected));
  }
}

const purchaseOf = (
  { exchange, gateway, signal }: Call,
  { access: { organization, project } }: Payer,
): Purchase => ({
  requestDigest: digestOf(exchange),
  kind: "request",
  organizationId: organization.id,
  projectId: project.id,
  requestId: exchange.requestId,
  gateway: gateway.holds.owner,
  signal,
});

/** Uses a wallet's proof up where it was not with a hold. Throws the price where it was used before. */
export async function useProof(call: Call): Promise<void> {
  const { payer, gateway } = call;
  if (payer?.proof === undefined || gateway.payments === undefined) return;
  if (!(await gateway.payments.use(payer.proof))) {
    throw new GatewayError(proofUsed(call, gateway.payments, gateway.payments.least));
  }
  proofIsUsed(call);
}

/** A hold has used it up. */
export function proofIsUsed(call: Call): void {
  if (call.payer?.proof === undefined) return;
  const { proof: _used, ...payer } = call.payer;
  call.payer = payer;
}

function proofUsed(call: Call, payments: PaymentDesk, nanoUsd: bigint): Failure {
  const price = { ...meteredPrice(call, nanoUsd), reason: PROOF_USED };
  return required(payments.termsOf(price), PROOF_USED);
}

/** What was to pay for it, or to prove who pays, was used before. */
export async function spentBefore(call: Call, command: Reserve): Promise<Failure> {
  const { payments } = call.gateway;
  if (payments === undefined) throw new Error("a payment without a desk");
  if (call.payment !== undefined) return payments.whyUnbooked(call.payment);
  return proofUsed(call, payments, quoteOf(payments, command));
}

/** The credit of a wallet that has proved itself does not do: it is told the price. */
export function creditShort(call: Call, command: Reserve, refusal: Refusal): Failure {
  const { payments } = call.gateway;
  if (payments === undefined) throw new Error("a wallet without a desk");
  const balance = refusal.limit - refusal.used - refusal.pending;
  const price = meteredPrice(call, quoteOf(payments, command));
  const reason = `the wallet's credit (${formatUsd(balance < 0n ? 0n : balance)} USD free) does not cover ${formatUsd(price.nanoUsd)} USD`;
  return required(payments.termsOf({ ...price, balance, reason }), reason);
}

function quoteOf({ least }: PaymentDesk, { lines, wantedTokens, answers }: Reserve): bigint {
  const worst = worstCaseNanoUsd(lines, { outputTokens: wantedTokens, answers });
  return worst > least ? worst : least;
}

/** What is streamed is with its client before anybody could settle it. */
const meteredPrice = (call: Call, nanoUsd: bigint): Price => ({
  ...priceOf(call, nanoUsd),
  isMetered: !call.streamed,
});

export function priceOf({ exchange, modelAsked, streamed }: Call, nanoUsd: bigint): Price {
  const model = modelAsked === "" ? "" : ` by ${modelAsked.slice(0, 100)}`;
  return {
    nanoUsd,
    path: pathOf(exchange),
    description: `${exchange.operation}${model}`,
    isStreamed: streamed,
  };
}

const PATHS = {
  "openai-chat": "/v1/chat/completions",
  "openai-completions": "/v1/completions",
  "openai-responses": "/v1/responses",
  "anthropic-messages": "/v1/messages",
} as const;

/** Where it was sent, without what else stands in a URL. */
function pathOf({ operation, protocol, pathModel, pathVerb }: Exchange): string {
  if (protocol === "gemini") return `/v1beta/models/${pathModel ?? ""}:${pathVerb ?? ""}`;
  if (operation === "count-tokens") return "/v1/messages/count_tokens";
  return operation === "chat" ? PATHS[protocol] : `/v1/${operation}`;
}

/** All that decides what is bought. */
function digestOf({ operation, protocol, pathModel = "", pathVerb = "", body }: Exchange): string {
  const head = JSON.stringify([operation, protocol, pathModel, pathVerb]);
  return createHash("sha256").update(head).update("\n").update(body).digest("hex");
}

const tooDear = ({ nanoUsd }: Price, { most }: PaymentDesk): GatewayError =>
  invalidRequest(
    "max_tokens",
    `The request may cost ${formatUsd(nanoUsd)} USD, and ${formatUsd(most)} USD is the most that is taken for one. Lower max_tokens, name a cheaper model, or top up a wallet (POST /v1/x402/topup) and pay from its credit.`,
  );
