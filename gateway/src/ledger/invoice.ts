import type { Kysely } from "kysely";

import { readChargeMemo } from "#ledger/charge-memo.ts";
import { kindOf } from "#ledger/ledger-state.ts";
import { memosOfCharges, transfersBetween, type ListedTransfer } from "#store/ledger-reads.ts";
import { answeredBy, type AnsweredBy } from "#store/request-records.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";

/** What an invoice sums up by. */
export interface InvoiceLine {
  /**
   * `charge`: at the platform's credentials; `fee`: at own ones; the rest is as the ledger names it:
   * `refund`, `adjustment`, `grant`, `expiry`.
   */
  readonly kind: string;
  /** `null`: it is the organization's. */
  readonly projectId: string | null;
  /** `null`: it is no request's, or of one that was charged before charges kept it and has no record any more. */
  readonly model: string | null;
  readonly requests: number;
  /** Nano-USD; below 0: in the organization's favour. */
  readonly amount: bigint;
}

export interface Invoice {
  readonly lines: readonly InvoiceLine[];
  /** What the organization's wallets have lost by all transfers of the time, to the nano-dollar. */
  readonly total: bigint;
}

interface Asked {
  readonly organizationId: string;
  /** Unix milliseconds: from it on, and before the end. */
  readonly start: number;
  readonly end: number;
}

const PAGE = 1_000;

/** What an organization owes for a time: all that the ledger booked on its wallets, summed up. */
export async function invoiceOf({ core, records }: Stores, asked: Asked): Promise<Invoice> {
  const lines = new Map<string, InvoiceLine>();
  let total = 0n;
  for (let afterSeq = -1; ;) {
    const page = await transfersBetween(core, { ...asked, afterSeq, limit: PAGE });
    const answers = await answersOf({ core, records }, page);
    for (const transfer of page) {
      const amount = owedBy(transfer);
      if (amount === 0n) continue;
      total += amount;
      addTo(lines, lineOf(transfer, answers.get(transfer.request_id ?? ""), amount));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    afterSeq = last.seq;
  }
  const sorted = [...lines].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { lines: sorted.map(([, line]) => line), total };
}

interface Stores {
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
}

/**
 * Who answered the requests of these transfers: as the charges say, of the requests of refunds too;
 * only of charges from before they did, as the records say.
 */
async function answersOf(
  { core, records }: Stores,
  page: readonly ListedTransfer[],
): Promise<ReadonlyMap<string, AnsweredBy>> {
  const answers = new Map<string, AnsweredBy>();
  const note = (id: string | null, memo: string | null): void => {
    const answer = readChargeMemo(memo);
    if (id !== null && answer !== undefined) answers.set(id, answer);
  };
  for (const { kind, request_id: id, memo } of page) if (kind === "charge") note(id, memo);
  const missing = (): string[] => [
    ...new Set(page.flatMap(({ request_id: id }) => (id === null || answers.has(id) ? [] : [id]))),
  ];
  for (const [id, memo] of await memosOfCharges(core, missing())) note(id, memo);
  for (const [id, answer] of await answeredBy(records, missing())) answers.set(id, answer);
  return answers;
}

/** What leaves a wallet is owed, what comes onto one is not; between others it is the operator's affair. */
function owedBy({ debit_account: from, credit_account: to, amount }: ListedTransfer): bigint {
  const owed = kindOf(from) === "wallet" ? BigInt(amount) : 0n;
  return kindOf(to) === "wallet" ? owed - BigInt(amount) : owed;
}

const lineOf = (
  { kind, project_id: projectId }: ListedTransfer,
  answer: AnsweredBy | undefined,
  amount: bigint,
): InvoiceLine => ({
  kind: kind === "charge" && answer?.isOwnCredential === true ? "fee" : kind,
  projectId,
  model: answer?.model ?? null,
  requests: kind === "charge" ? 1 : 0,
  amount,
});

function addTo(lines: Map<string, InvoiceLine>, line: InvoiceLine): void {
  const key = JSON.stringify([line.projectId ?? "", line.kind, line.model ?? ""]);
  const known = lines.get(key);
  lines.set(key, {
    ...line,
    requests: line.requests + (known?.requests ?? 0),
    amount: line.amount + (known?.amount ?? 0n),
  });
}
