import type { Kysely } from "kysely";

import { holdOf } from "#ledger/ledger-rows.ts";
import { readLedgerSums, type LedgerSums } from "#store/ledger-audit.ts";
import type { CoreTables } from "#store/schema.ts";

/** A rule of the ledger that does not hold, in words for the operator. */
export interface Violation {
  readonly rule: string;
  readonly subject: string;
  readonly detail: string;
}

export interface InvariantOptions {
  /** Balances are replayed from all transfers as long as there are no more than these. */
  readonly maxTransfers?: number;
  /** So many of the holds that ended last are compared with what was booked for them. */
  readonly maxEnded?: number;
}

const MAX_TRANSFERS = 100_000;
const MAX_ENDED = 1_000;

/**
 * Checks what must always be true of the ledger. Σ debits = Σ credits; a balance is the replay of its
 * transfers; what is pending is what open holds hold; a hold that ended was charged exactly once what
 * it says, and an open one nothing. Empty: all is well.
 */
export async function checkInvariants(
  core: Kysely<CoreTables>,
  { maxTransfers = MAX_TRANSFERS, maxEnded = MAX_ENDED }: InvariantOptions = {},
): Promise<readonly Violation[]> {
  const sums = await readLedgerSums(core, { maxTransfers, maxEnded });
  return [...checkBalances(sums), ...checkPending(sums), ...checkEnded(sums)];
}

function checkBalances({ debits, credits, replayed = [] }: LedgerSums): Violation[] {
  const violations: Violation[] = [];
  if (BigInt(debits) !== BigInt(credits)) {
    const detail = `debits ${debits}, credits ${credits}`;
    violations.push({ rule: "debits equal credits", subject: "all accounts", detail });
  }
  for (const account of replayed) {
    const isSame =
      BigInt(account.debits) === BigInt(account.debited) &&
      BigInt(account.credits) === BigInt(account.credited);
    if (isSame) continue;
    const detail = `debits ${account.debits} of ${account.debited}, credits ${account.credits} of ${account.credited}`;
    violations.push({ rule: "a balance is its transfers", subject: account.id, detail });
  }
  return violations;
}

function checkPending({ open, pendingAccounts, pendingCounters }: LedgerSums): Violation[] {
  const held = new Map<string, bigint>();
  const add = (id: string, amount: bigint): void =>
    void held.set(id, (held.get(id) ?? 0n) + amount);
  for (const hold of open.map(holdOf)) {
    if (hold.accountId !== null) add(`account ${hold.accountId}`, hold.amount);
    for (const { id, amount } of hold.counters) add(`counter ${id}`, amount);
  }
  const pending = new Map<string, bigint>([
    ...pendingAccounts.map(({ id, pending: sum }) => [`account ${id}`, BigInt(sum)] as const),
    ...pendingCounters.map(({ id, pending: sum }) => [`counter ${id}`, BigInt(sum)] as const),
  ]);
  return [...new Set([...held.keys(), ...pending.keys()])].flatMap((subject) => {
    const [is, must] = [pending.get(subject) ?? 0n, held.get(subject) ?? 0n];
    if (is === must) return [];
    const detail = `${is} is pending, ${must} is held`;
    return [{ rule: "what is pending is what open holds hold", subject, detail }];
  });
}

const checkEnded = ({ ended }: LedgerSums): Violation[] =>
  ended.flatMap(({ id, state, charged, booked }) => {
    if (BigInt(charged ?? 0) === BigInt(booked ?? 0)) return [];
    const detail = `${state}, charged ${charged ?? 0}, booked ${booked ?? 0}`;
    return [{ rule: "a request is charged once, as its hold says", subject: id, detail }];
  });
