import type {
  Charge,
  Command,
  CounterKey,
  CounterUnit,
  Post,
  ProviderCost,
  Reserve,
} from "#ledger/commands.ts";
import {
  providerAccount,
  projectAccount,
  BOOKS,
  type HeldCounter,
  type Hold,
  type LedgerState,
} from "#ledger/ledger-state.ts";
import type {
  AccountRow,
  CounterRow,
  HoldRow,
  LedgerIds,
  LedgerRows,
  LoadedRows,
  TransferRow,
} from "#store/ledger.ts";
import type { Use } from "#store/ledger-uses.ts";

/** Collects the ids of the rows that a batch works on. */
export class NamedRows {
  readonly accounts = new Set<string>();
  readonly counters = new Set<string>();
  readonly holds = new Set<string>();
  readonly transfers = new Set<string>();
  readonly uses: { readonly by: string; readonly use: Use }[] = [];

  add(command: Command): void {
    if (command.type === "post") {
      this.#addPost(command);
      return;
    }
    this.holds.add(command.id);
    if (command.type === "reserve") this.#addReserve(command);
    if (command.type === "settle") {
      this.#addCharge(command.charge);
      if (command.deposit !== undefined) this.#addPost(command.deposit, command.id);
    }
    // What ends a hold may come in the same batch.
    if (command.type === "reserve" || command.type === "meter") this.#addCharge(command.fallback);
    if (command.type === "void") {
      this.#addUses(command.id, command.uses ?? []);
      this.#addCosts(command.losses ?? []);
    }
  }

  /** What ends a hold: all that it holds, and all that it may be charged to. */
  addHold(hold: Hold): void {
    if (hold.accountId !== null) this.accounts.add(hold.accountId);
    for (const { id } of hold.counters) this.counters.add(id);
    this.#addCharge(hold.fallback);
  }

  #addReserve({ id: by, uses = [], wallet, deposit, counters }: Reserve): void {
    this.#addUses(by, uses);
    if (wallet !== undefined) this.accounts.add(wallet.id);
    if (deposit !== undefined) this.#addPost(deposit, by);
    for (const { id, slot } of counters) {
      this.counters.add(id);
      if (slot !== undefined) this.counters.add(slot.id);
    }
  }

  #addUses(by: string, uses: readonly Use[]): void {
    for (const use of uses) this.uses.push({ by, use });
  }

  #addPost({ id, debitAccount, creditAccount, uses = [] }: Post, by = id): void {
    this.#addUses(by, uses);
    this.transfers.add(id);
    this.accounts.add(debitAccount).add(creditAccount);
  }

  #addCharge(charge: Charge): void {
    this.accounts.add(charge.walletId).add(projectAccount(charge.projectId));
    for (const { id } of charge.counters) this.counters.add(id);
    this.#addCosts([...(charge.cost === undefined ? [] : [charge.cost]), ...(charge.losses ?? [])]);
  }

  #addCosts(costs: readonly { readonly provider: string }[]): void {
    for (const { provider } of costs) this.accounts.add(providerAccount(provider));
    if (costs.length > 0) this.accounts.add(BOOKS.providerCost).add(BOOKS.loss);
  }

  /** Those that other names do not have already; `undefined`: none. */
  beyond(known: NamedRows): LedgerIds | undefined {
    const accounts = [...this.accounts].filter((id) => !known.accounts.has(id));
    const counters = [...this.counters].filter((id) => !known.counters.has(id));
    return accounts.length + counters.length === 0
      ? undefined
      : { accounts, counters, holds: [], transfers: [], uses: [] };
  }

  ids(): LedgerIds {
    return {
      accounts: [...this.accounts],
      counters: [...this.counters],
      holds: [...this.holds],
      transfers: [...this.transfers],
      uses: this.uses,
    };
  }
}

/** Takes in what was loaded by these ids: the ids that have no row are known to have none. */
export function addRows(state: LedgerState, ids: LedgerIds, rows: LoadedRows): void {
  for (const id of ids.accounts) state.asked.add(id);
  for (const id of ids.counters) state.asked.add(id);
  for (const row of rows.accounts) {
    state.accounts.set(row.id, {
      id: row.id,
      kind: row.kind,
      organizationId: row.organization_id,
      debits: BigInt(row.debits),
      credits: BigInt(row.credits),
      pending: BigInt(row.pending),
      createdAt: row.created_at,
    });
  }
  for (const row of rows.counters) {
    state.counters.set(row.id, {
      id: row.id,
      budgetId: row.budget_id,
      organizationId: row.organization_id,
      subject: row.subject,
      periodStart: row.period_start,
      periodEnd: row.period_end,
      used: BigInt(row.used),
      pending: BigInt(row.pending),
      updatedAt: row.updated_at,
    });
  }
  for (const row of rows.holds) state.holds.set(row.id, holdOf(row));
  for (const id of rows.booked) state.booked.add(id);
  for (const [at, { by }] of ids.uses.entries()) {
    if (rows.used[at] !== true) state.tooLate.add(by);
  }
}

export function holdOf(row: HoldRow): Hold {
  const counters = JSON.parse(row.counters) as readonly (readonly [string, string])[];
  return {
    id: row.id,
    state: row.state,
    organizationId: row.organization_id,
    accountId: row.account_id,
    amount: BigInt(row.amount),
    tokens: row.tokens,
    counters: counters.map(([id, amount]): HeldCounter => ({ id, amount: BigInt(amount) })),
    fallback: parseCharge(row.facts, row.organization_id),
    owner: row.owner,
    dispatched: row.dispatched === 1,
    deliveredTokens: row.delivered_tokens,
    charged: row.charged === null ? null : BigInt(row.charged),
    createdAt: row.created_at,
    deadline: row.deadline,
    endedAt: row.ended_at,
  };
}

/** The rows that a batch has changed. */
export const changedRows = ({ changed }: LedgerState): LedgerRows => ({
  accounts: [...changed.accounts].map((account): AccountRow => ({
    id: account.id,
    kind: account.kind,
    organization_id: account.organizationId,
    debits: account.debits,
    credits: account.credits,
    pending: account.pending,
    created_at: account.createdAt,
  })),
  counters: [...changed.counters].map((counter): CounterRow => ({
    id: counter.id,
    budget_id: counter.budgetId,
    organization_id: counter.organizationId,
    subject: counter.subject,
    period_start: counter.periodStart,
    period_end: counter.periodEnd,
    used: counter.used,
    pending: counter.pending,
    updated_at: counter.updatedAt,
  })),
  holds: [...changed.holds].map(toHoldRow),
  transfers: changed.transfers.map((transfer): TransferRow => ({
    id: transfer.id,
    at: transfer.at,
    kind: transfer.kind,
    debit_account: transfer.debitAccount,
    credit_account: transfer.creditAccount,
    amount: transfer.amount,
    request_id: transfer.requestId,
    organization_id: transfer.organizationId,
    project_id: transfer.projectId,
    memo: transfer.memo,
  })),
});

const toHoldRow = (hold: Hold): HoldRow => ({
  id: hold.id,
  state: hold.state,
  organization_id: hold.organizationId,
  account_id: hold.accountId,
  amount: hold.amount,
  tokens: hold.tokens,
  counters: JSON.stringify(hold.counters.map(({ id, amount }) => [id, amount.toString()])),
  // What it might have been charged is of no use once it has ended.
  facts: hold.state === "open" ? renderCharge(hold.fallback) : ENDED,
  owner: hold.owner,
  dispatched: hold.dispatched ? 1 : 0,
  delivered_tokens: hold.deliveredTokens,
  charged: hold.charged,
  created_at: hold.createdAt,
  deadline: hold.deadline,
  ended_at: hold.endedAt,
});

const ENDED = "{}";

/** Once a request under way: short, since a disk waits for it. JSON has no 64-bit integers: amounts are text. */
interface StoredCharge {
  readonly walletId: string;
  readonly projectId: string;
  readonly amount: string;
  readonly cost?: StoredCost;
  readonly losses?: readonly StoredCost[];
  readonly tokens: number;
  readonly memo?: string;
  readonly counters: readonly StoredCounter[];
}

type StoredCost = readonly [provider: string, nanoUsd: string];
/** The rest of its key is in its id, and in the hold. */
type StoredCounter = readonly [id: string, unit: CounterUnit, periodEnd: number | null];

const renderCost = ({ provider, nanoUsd }: ProviderCost): StoredCost => [
  provider,
  nanoUsd.toString(),
];
const parseCost = ([provider, nanoUsd]: StoredCost): ProviderCost => ({
  provider,
  nanoUsd: BigInt(nanoUsd),
});

function renderCharge({ walletId, projectId, tokens, ...charge }: Charge): string {
  const stored: StoredCharge = {
    walletId,
    projectId,
    amount: charge.chargeNanoUsd.toString(),
    tokens,
    ...(charge.memo !== undefined && { memo: charge.memo }),
    ...(charge.cost !== undefined && { cost: renderCost(charge.cost) }),
    ...(charge.losses !== undefined && { losses: charge.losses.map(renderCost) }),
    counters: charge.counters.map(({ id, unit, periodEnd }) => [id, unit, periodEnd]),
  };
  return JSON.stringify(stored);
}

function parseCharge(text: string, organizationId: string): Charge {
  if (text === ENDED) return NO_CHARGE;
  const { walletId, projectId, tokens, ...stored } = JSON.parse(text) as StoredCharge;
  return {
    walletId,
    projectId,
    chargeNanoUsd: BigInt(stored.amount),
    tokens,
    ...(stored.memo !== undefined && { memo: stored.memo }),
    ...(stored.cost !== undefined && { cost: parseCost(stored.cost) }),
    ...(stored.losses !== undefined && { losses: stored.losses.map(parseCost) }),
    counters: stored.counters.map(([id, unit, periodEnd]) => ({
      ...keyOf(id, organizationId, periodEnd),
      unit,
    })),
  };
}

/** A counter's key from its id, `<budget>:<period start>:<subject>`. */
function keyOf(id: string, organizationId: string, periodEnd: number | null): CounterKey {
  const [budgetId = "", start, ...subject] = id.split(":");
  const periodStart = Number(start);
  return { id, budgetId, organizationId, subject: subject.join(":"), periodStart, periodEnd };
}

const NO_CHARGE: Charge = {
  walletId: "",
  projectId: "",
  chargeNanoUsd: 0n,
  tokens: 0,
  counters: [],
};
