import type { RevenueView } from "@turnpike/contract/api/payments.ts";
import type { Kysely } from "kysely";

import { walletOf } from "#ledger/ledger-state.ts";
import { formatSignedUsd, formatUsd } from "#lib/money.ts";
import { transfersBetween, type ListedTransfer } from "#store/ledger-reads.ts";
import { outstandingCredit, ownersWithPayments, sourcesOf } from "#store/payment-search.ts";
import type { CoreTables } from "#store/schema.ts";

type Core = Kysely<CoreTables>;

export interface RevenueAsked {
  readonly organizationId: string;
  /** Days such as 2027-01-31, UTC; the last one is counted whole. */
  readonly from: string;
  readonly to: string;
  readonly by: "day" | "network" | "asset";
}

/** Nano-USD. */
interface Sums {
  payments: number;
  deposits: bigint;
  reversals: bigint;
  payouts: bigint;
  charges: bigint;
  other: bigint;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Between pages others get their turn at the database. */
const PAGE = 1_000;

/**
 * What was paid in, used and taken back in a time, by the entries of the ledger, and what is left now.
 * Over all time: outstanding = deposits - reversals - payouts - charges + other.
 */
export async function revenueOf(core: Core, asked: RevenueAsked): Promise<RevenueView> {
  const { organizationId, from, to, by } = asked;
  const rows = new Map<string, Sums>();
  const total = noSums();
  const time = { organizationId, start: Date.parse(from), end: Date.parse(to) + DAY_MS };
  for (let afterSeq = -1; ;) {
    const page = await transfersBetween(core, { ...time, afterSeq, limit: PAGE });
    const entries = await entriesOf(core, page);
    const keys = by === "day" ? undefined : await sourcesOf(core, entries.flatMap(paymentOf));
    for (const entry of entries) {
      add(total, entry);
      const source = keys?.get(paymentOf(entry)[0] ?? "");
      const key = keys === undefined ? dayOf(entry) : source && keyOf(by, source);
      if (key !== undefined) add(rowOf(rows, key), entry);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    afterSeq = last.seq;
  }
  const sorted = [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    object: "revenue",
    organization_id: organizationId,
    from,
    to,
    time_zone: "UTC",
    by,
    data: sorted.map(([key, sums]) => ({
      ...namesOf(by, key),
      ...receivedView(sums),
      ...(by === "day" && spentView(sums)),
    })),
    total: { ...receivedView(total), ...spentView(total) },
    outstanding_usd: formatSignedUsd(await outstandingCredit(core, organizationId)),
  };
}

/** What came onto a wallet, or below 0 went off it. */
interface Entry {
  readonly transfer: ListedTransfer;
  readonly amount: bigint;
}

const WALLET = walletOf("");

/** Only wallets that were ever paid into: others' credits are given, or paid by invoice. */
async function entriesOf(core: Core, page: readonly ListedTransfer[]): Promise<readonly Entry[]> {
  const all = page.flatMap((transfer) => {
    const { debit_account: from, credit_account: to, amount } = transfer;
    return [
      { wallet: to, transfer, amount: BigInt(amount) },
      { wallet: from, transfer, amount: -BigInt(amount) },
    ].filter(({ wallet }) => wallet.startsWith(WALLET));
  });
  const owners = [...new Set(all.map(({ wallet }) => wallet.slice(WALLET.length)))];
  const paid = new Set((await ownersWithPayments(core, owners)).map(walletOf));
  return all.filter(({ wallet }) => paid.has(wallet));
}

function add(sums: Sums, { transfer, amount }: Entry): void {
  switch (transfer.kind) {
    case "deposit":
      sums.payments += 1;
      sums.deposits += amount;
      break;
    case "reversal":
      sums.reversals -= amount;
      break;
    case "payout":
    // What Gate Pay did not carry out.
    case "payout-back":
      sums.payouts -= amount;
      break;
    case "charge":
      sums.charges -= amount;
      break;
    default:
      sums.other += amount;
  }
}

const noSums = (): Sums => ({
  payments: 0,
  deposits: 0n,
  reversals: 0n,
  payouts: 0n,
  charges: 0n,
  other: 0n,
});

function rowOf(rows: Map<string, Sums>, key: string): Sums {
  const sums = rows.get(key) ?? noSums();
  rows.set(key, sums);
  return sums;
}

/** The id of the payment that an entry books or takes back. */
function paymentOf({ transfer }: Entry): readonly string[] {
  const [kind = "", id] = transfer.id.split(":");
  return id !== undefined && ["deposit", "reversal"].includes(kind) ? [id] : [];
}

const dayOf = ({ transfer }: Entry): string => new Date(transfer.at).toISOString().slice(0, 10);

interface Source {
  readonly network: string;
  readonly asset: string;
}

const keyOf = (by: RevenueAsked["by"], { network, asset }: Source): string =>
  by === "network" ? network : `${network} ${asset}`;

function namesOf(by: RevenueAsked["by"], key: string): object {
  if (by === "day") return { day: key };
  const [network = "", asset] = key.split(" ");
  return { network, ...(asset !== undefined && { asset }) };
}

const receivedView = ({ payments, deposits, reversals }: Sums) => ({
  payments,
  deposits_usd: formatUsd(deposits),
  reversals_usd: formatUsd(reversals),
});

const spentView = ({ payouts, charges, other }: Sums) => ({
  payouts_usd: formatSignedUsd(payouts),
  charges_usd: formatSignedUsd(charges),
  other_usd: formatSignedUsd(other),
});
