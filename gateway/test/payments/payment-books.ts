import { setTimeout as pause } from "node:timers/promises";

import { expect } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { BOOKS } from "#ledger/ledger-state.ts";
import { toNanoUsd } from "#payments/amounts.ts";
import type { Store } from "#store/store.ts";
import type { TestChain } from "#test/chain/start-chain.ts";
import { PAY_TO } from "#test/payments/start-paid-gateway.ts";

/** What the ledger says of payments, in nano-USD. */
export interface PaymentBooks {
  readonly deposits: bigint;
  readonly reversals: bigint;
  readonly charges: bigint;
  readonly refunds: bigint;
  /** Of all wallets of addresses. */
  readonly balances: bigint;
  readonly held: bigint;
}

const WALLET = /^wallet:0x[0-9a-f]{40}$/;

export async function readBooks({ core }: Pick<Store, "core">): Promise<PaymentBooks> {
  const transfers = await core.selectFrom("ledger_transfers").selectAll().execute();
  const accounts = await core.selectFrom("ledger_accounts").selectAll().execute();
  const wallets = accounts.filter(({ id }) => WALLET.test(id));
  const sumOf = (kind: string, account: "debit_account" | "credit_account"): bigint =>
    transfers
      .filter((one) => one.kind === kind && WALLET.test(one[account]))
      .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const deposits = transfers.filter(({ debit_account: from }) => from === BOOKS.payments);
  return {
    deposits: deposits.reduce((sum, { amount }) => sum + BigInt(amount), 0n),
    reversals: sumOf("reversal", "debit_account"),
    charges: sumOf("charge", "debit_account"),
    refunds: sumOf("refund", "credit_account"),
    balances: wallets.reduce((sum, one) => sum + BigInt(one.credits) - BigInt(one.debits), 0n),
    held: wallets.reduce((sum, { pending }) => sum + BigInt(pending), 0n),
  };
}

/** What was paid on a chain, in all of its tokens. */
export async function receivedOn(chain: TestChain): Promise<bigint> {
  const parts = await Promise.all(
    Object.values(chain.tokens).map(async (token) =>
      toNanoUsd(await chain.balance(token, PAY_TO), token.decimals),
    ),
  );
  return parts.reduce((sum, part) => sum + part, 0n);
}

/**
 * The invariant of payments: what is on the chain is what was deposited, less what was taken back, and
 * that is what wallets have and have been charged; nothing is held, and the ledger agrees with itself.
 * Requests end a moment after their answers: it is waited for.
 */
export async function expectBooksToMatch(
  store: Pick<Store, "core">,
  chain: TestChain,
  { withinMs = 5_000 } = {},
): Promise<PaymentBooks> {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      return await checkBooks(store, chain);
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(50);
    }
  }
}

async function checkBooks(store: Pick<Store, "core">, chain: TestChain): Promise<PaymentBooks> {
  const received = await receivedOn(chain);
  const books = await readBooks(store);
  const { deposits, reversals, charges, refunds, balances, held } = books;
  expect({ received, held }).toEqual({ received: deposits - reversals, held: 0n });
  expect(balances + charges - refunds).toBe(deposits - reversals);
  expect(await checkInvariants(store.core)).toEqual([]);
  return books;
}
