import { book } from "#ledger/book-transfer.ts";
import type { Charge, Counted, Ended, ProviderCost, Settle } from "#ledger/commands.ts";
import {
  BOOKS,
  projectAccount,
  providerAccount,
  type Hold,
  type LedgerState,
} from "#ledger/ledger-state.ts";
import { requireCounter } from "#ledger/reserve.ts";

interface Ending {
  readonly state: "settled" | "voided" | "expired";
  readonly charge: Charge;
  readonly at: number;
  /** Nano-USD that its payer has paid for it. */
  readonly most?: bigint;
}

/**
 * Ends an open hold: what was used is charged, never more than was held; what was held is released.
 * A hold that has ended stays as it is, whoever asks.
 */
export function endHold(state: LedgerState, hold: Hold, ending: Ending): Ended {
  if (hold.state !== "open") return again(hold);
  release(state, hold, ending.at);
  const charged = chargeWithin(hold, ending);
  const excess = ending.charge.chargeNanoUsd - charged;
  hold.state = ending.state;
  hold.charged = charged;
  hold.endedAt = ending.at;
  state.changed.holds.add(hold);
  const counted = bookCharge(state, hold, { ...ending, charged, excess });
  return { outcome: "done", state: ending.state, charged, excess, counted };
}

/** Charges a request that nothing bounds. Its row says that it is charged, however often that is asked for. */
export function settleUnheld(state: LedgerState, command: Settle): Ended {
  const { id, at, organizationId, charge } = command;
  const hold: Hold = {
    id,
    state: "settled",
    organizationId,
    accountId: null,
    amount: 0n,
    tokens: 0,
    counters: [],
    fallback: { ...charge, counters: [] },
    owner: "",
    dispatched: true,
    deliveredTokens: 0,
    charged: charge.chargeNanoUsd,
    createdAt: at,
    deadline: at,
    endedAt: at,
  };
  state.holds.set(id, hold);
  state.changed.holds.add(hold);
  const charged = charge.chargeNanoUsd;
  const counted = bookCharge(state, hold, { charge, at, charged, excess: 0n });
  return { outcome: "done", state: "settled", charged, excess: 0n, counted };
}

const again = (hold: Hold): Ended => ({
  outcome: "again",
  state: hold.state,
  charged: hold.charged ?? 0n,
  excess: 0n,
  counted: [],
});

function release(state: LedgerState, hold: Hold, at: number): void {
  if (hold.accountId !== null) {
    const account = state.accounts.get(hold.accountId);
    if (account === undefined) throw new RangeError(`account ${hold.accountId} is not loaded`);
    account.pending -= hold.amount;
    checkPending(account);
    state.changed.accounts.add(account);
  }
  for (const { id, amount } of hold.counters) {
    const counter = state.counters.get(id);
    if (counter === undefined) throw new RangeError(`counter ${id} is not loaded`);
    counter.pending -= amount;
    counter.updatedAt = at;
    checkPending(counter);
    state.changed.counters.add(counter);
  }
}

function checkPending({ id, pending }: { readonly id: string; readonly pending: bigint }): void {
  if (pending < 0n) throw new RangeError(`${id} has less pending than its holds`);
}

/**
 * What is charged of a hold: neither its wallet nor a counter that it counts for gives more than was
 * held of it. A hold of tokens alone bounds no money.
 */
function chargeWithin(hold: Hold, ending: Pick<Ending, "charge" | "most">): bigint {
  const { chargeNanoUsd, counters } = ending.charge;
  let most = ending.most ?? (hold.accountId === null ? chargeNanoUsd : hold.amount);
  for (const { id, unit } of counters) {
    const held = hold.counters.find((one) => one.id === id);
    if (unit === "usd" && held !== undefined && held.amount < most) most = held.amount;
  }
  return chargeNanoUsd < most ? chargeNanoUsd : most;
}

interface Booking {
  readonly charge: Charge;
  readonly at: number;
  readonly charged: bigint;
  readonly excess: bigint;
}

function bookCharge(state: LedgerState, hold: Hold, booking: Booking): Counted[] {
  const { charge, at, charged, excess } = booking;
  const { id: requestId, organizationId } = hold;
  const common = { at, requestId, organizationId, projectId: charge.projectId, memo: null };
  if (charged > 0n) {
    book(state, {
      ...common,
      memo: charge.memo ?? null,
      id: `${requestId}:charge`,
      kind: "charge",
      debitAccount: charge.walletId,
      creditAccount: projectAccount(charge.projectId),
      amount: charged,
    });
  }
  for (const [at_, { book: debitAccount, provider, nanoUsd }] of costsOf(
    charge,
    excess,
  ).entries()) {
    book(state, {
      ...common,
      id: `${requestId}:cost:${at_}`,
      kind: debitAccount === BOOKS.loss ? "loss" : "cost",
      debitAccount,
      creditAccount: providerAccount(provider),
      amount: nanoUsd,
    });
  }
  return countUsage(state, hold, booking);
}

/** What providers are owed, and which of it nobody was charged for. */
function costsOf(
  { cost, losses = [] }: Charge,
  excess: bigint,
): (ProviderCost & { readonly book: string })[] {
  const lost = cost === undefined ? 0n : excess < cost.nanoUsd ? excess : cost.nanoUsd;
  const costs = losses.map((loss) => ({ ...loss, book: BOOKS.loss as string }));
  if (cost !== undefined) {
    const { provider, nanoUsd } = cost;
    costs.push({ provider, nanoUsd: nanoUsd - lost, book: BOOKS.providerCost });
    costs.push({ provider, nanoUsd: lost, book: BOOKS.loss });
  }
  return costs.filter(({ nanoUsd }) => nanoUsd > 0n);
}

function countUsage(state: LedgerState, hold: Hold, { charge, at, charged }: Booking): Counted[] {
  return charge.counters.flatMap((key) => {
    const counter = requireCounter(state, key, at);
    const held = hold.counters.find(({ id }) => id === key.id);
    const used = key.unit === "usd" ? charged : BigInt(charge.tokens);
    const amount = held !== undefined && held.amount < used ? held.amount : used;
    if (amount === 0n) return [];
    const before = counter.used;
    counter.used += amount;
    counter.updatedAt = at;
    state.changed.counters.add(counter);
    return [{ counterId: key.id, before, after: counter.used }];
  });
}
