import { sql, type Kysely } from "kysely";

import type { AccountRow, CounterRow, TransferRow } from "#store/ledger.ts";
import { inChunks } from "#store/in-chunks.ts";
import type { CoreTables } from "#store/schema.ts";

type Core = Kysely<CoreTables>;

export const findAccount = (core: Core, id: string): Promise<AccountRow | undefined> =>
  core.selectFrom("ledger_accounts").selectAll().where("id", "=", id).executeTakeFirst();

export const findTransfer = (core: Core, id: string): Promise<TransferRow | undefined> =>
  core.selectFrom("ledger_transfers").selectAll().where("id", "=", id).executeTakeFirst();

export type ListedTransfer = TransferRow & { readonly seq: number };

export interface TransferFilter {
  readonly organizationId: string;
  /** Only older ones than this: the last of the page before. */
  readonly beforeSeq?: number;
  readonly kinds?: readonly string[];
  readonly limit: number;
}

/** What came onto the wallet of an address and went off it, the newest first. */
export async function listWalletTransfers(
  core: Core,
  { wallet, beforeSeq, limit }: { wallet: string; beforeSeq?: number | undefined; limit: number },
): Promise<readonly ListedTransfer[]> {
  const side = (column: "debit_account" | "credit_account"): Promise<ListedTransfer[]> => {
    const query = core
      .selectFrom("ledger_transfers")
      .selectAll()
      .where(column, "=", wallet)
      // In the words of the index, which has the wallets of addresses only.
      .where(sql<boolean>`${sql.ref(column)} LIKE 'wallet:0x%'`)
      .orderBy("seq", "desc")
      .limit(limit);
    return (beforeSeq === undefined ? query : query.where("seq", "<", beforeSeq)).execute();
  };
  const both = await Promise.all([side("debit_account"), side("credit_account")]);
  return both
    .flat()
    .toSorted((a, b) => b.seq - a.seq)
    .slice(0, limit);
}

/** An organization's transfers, the newest first. */
export function listTransfers(
  core: Core,
  { organizationId, beforeSeq, kinds, limit }: TransferFilter,
): Promise<readonly ListedTransfer[]> {
  let query = core
    .selectFrom("ledger_transfers")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("seq", "desc")
    .limit(limit);
  if (beforeSeq !== undefined) query = query.where("seq", "<", beforeSeq);
  if (kinds !== undefined) query = query.where("kind", "in", [...kinds]);
  return query.execute();
}

interface TransfersBetween {
  readonly organizationId: string;
  /** Unix milliseconds: from it on, and before the end. */
  readonly start: number;
  readonly end: number;
  /** The last of the page before. */
  readonly afterSeq: number;
  readonly limit: number;
}

/** An organization's transfers of a time, the oldest first. */
export const transfersBetween = (
  core: Core,
  { organizationId, start, end, afterSeq, limit }: TransfersBetween,
): Promise<readonly ListedTransfer[]> =>
  core
    .selectFrom("ledger_transfers")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("seq", ">", afterSeq)
    .where("at", ">=", start)
    .where("at", "<", end)
    .orderBy("seq")
    .limit(limit)
    .execute();

/** What the charges of these requests say, by request. */
export async function memosOfCharges(
  core: Core,
  requestIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const pages = await Promise.all(
    inChunks(requestIds, (chunk) =>
      core
        .selectFrom("ledger_transfers")
        .select(["request_id", "memo"])
        .where(
          "id",
          "in",
          chunk.map((id) => `${id}:charge`),
        )
        .execute(),
    ),
  );
  return new Map(
    pages
      .flat()
      .flatMap(({ request_id: id, memo }) =>
        id === null || memo === null ? [] : [[id, memo] as const],
      ),
  );
}

export const transfersOfRequest = (
  core: Core,
  requestId: string,
): Promise<readonly ListedTransfer[]> =>
  core
    .selectFrom("ledger_transfers")
    .selectAll()
    .where("request_id", "=", requestId)
    .orderBy("seq")
    .execute();

/** A budget's counters of a period, the most used first. */
export const countersOf = (
  core: Core,
  { budgetId, periodStart, limit }: { budgetId: string; periodStart: number; limit: number },
): Promise<readonly CounterRow[]> =>
  core
    .selectFrom("budget_counters")
    .selectAll()
    .where("budget_id", "=", budgetId)
    .where("period_start", "=", periodStart)
    .orderBy("used", "desc")
    .limit(limit)
    .execute();

type GrantRow = CoreTables["credit_grants"];

/** Notes credits that are good for a time only; noted once. */
export async function insertGrant(core: Core, grant: GrantRow): Promise<void> {
  await core
    .insertInto("credit_grants")
    .values(grant)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

export const dueGrants = (core: Core, now: number): Promise<readonly GrantRow[]> =>
  core
    .selectFrom("credit_grants")
    .selectAll()
    .where("expired_at", "is", null)
    .where("expires_at", "<=", now)
    .limit(100)
    .execute();

export async function markExpired(core: Core, id: string, expiredAt: number): Promise<void> {
  await core
    .updateTable("credit_grants")
    .set({ expired_at: expiredAt })
    .where("id", "=", id)
    .execute();
}

/** Holds that ended long ago, and processes that were last seen then: their transfers stay. */
export async function deleteEndedHolds(core: Core, before: number): Promise<void> {
  await Promise.all([
    core.deleteFrom("holds").where("ended_at", "<", before).execute(),
    core.deleteFrom("ledger_owners").where("beat_at", "<", before).execute(),
  ]);
}
