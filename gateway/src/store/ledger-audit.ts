import { sql, type Kysely, type Transaction } from "kysely";

import type { HoldRow } from "#store/ledger.ts";
import type { CoreTables } from "#store/schema.ts";

type Amount = number | bigint;

/** The ledger's sums at one moment. */
export interface LedgerSums {
  readonly debits: Amount;
  readonly credits: Amount;
  readonly transfers: number;
  /** Of each account; `null` sums: nothing is booked. Absent unless they are replayed. */
  readonly replayed?: readonly {
    readonly id: string;
    readonly debits: Amount;
    readonly credits: Amount;
    readonly debited: Amount;
    readonly credited: Amount;
  }[];
  readonly pendingAccounts: readonly { readonly id: string; readonly pending: Amount }[];
  readonly pendingCounters: readonly { readonly id: string; readonly pending: Amount }[];
  readonly open: readonly HoldRow[];
  /** Holds that ended last, with what was booked as their charge; `null`: nothing. */
  readonly ended: readonly {
    readonly id: string;
    readonly state: string;
    readonly charged: Amount | null;
    readonly booked: Amount | null;
  }[];
}

interface HowMuch {
  /** Balances are replayed as long as there are no more transfers. */
  readonly maxTransfers: number;
  /** So many of the holds that ended last are looked at. */
  readonly maxEnded: number;
}

/** Reads what the invariants are about, in one transaction: all of it is of the same moment. */
export const readLedgerSums = (core: Kysely<CoreTables>, howMuch: HowMuch): Promise<LedgerSums> =>
  core
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (transaction) => {
      const [totals, count, pendingAccounts, pendingCounters, open, ended] = await Promise.all([
        transaction
          .selectFrom("ledger_accounts")
          .select([
            sql<Amount>`coalesce(sum(debits), 0)`.as("debits"),
            sql<Amount>`coalesce(sum(credits), 0)`.as("credits"),
          ])
          .executeTakeFirstOrThrow(),
        transaction
          .selectFrom("ledger_transfers")
          .select(sql<number>`coalesce(max(seq), 0)`.as("count"))
          .executeTakeFirstOrThrow(),
        transaction
          .selectFrom("ledger_accounts")
          .select(["id", "pending"])
          .where("pending", ">", 0)
          .execute(),
        transaction
          .selectFrom("budget_counters")
          .select(["id", "pending"])
          .where("pending", ">", 0)
          .execute(),
        transaction.selectFrom("holds").selectAll().where("state", "=", "open").execute(),
        endedHolds(transaction, howMuch.maxEnded),
      ]);
      const common = { ...totals, transfers: count.count, pendingAccounts, pendingCounters };
      if (count.count > howMuch.maxTransfers) return { ...common, open, ended };
      return { ...common, open, ended, replayed: await replay(transaction) };
    });

const endedHolds = (transaction: Transaction<CoreTables>, limit: number) =>
  transaction
    .selectFrom("holds")
    .leftJoin("ledger_transfers", (join) =>
      join.on("ledger_transfers.id", "=", sql<string>`holds.id || ':charge'`),
    )
    .where("holds.ended_at", "is not", null)
    .select([
      "holds.id",
      "holds.state",
      "holds.charged",
      sql<Amount | null>`ledger_transfers.amount`.as("booked"),
    ])
    .orderBy("holds.ended_at", "desc")
    .limit(limit)
    .execute();

/** Every account beside the sums of its transfers. */
async function replay(transaction: Transaction<CoreTables>) {
  const [accounts, debited, credited] = await Promise.all([
    transaction.selectFrom("ledger_accounts").select(["id", "debits", "credits"]).execute(),
    transaction
      .selectFrom("ledger_transfers")
      .groupBy("debit_account")
      .select(["debit_account as id", sql<Amount>`sum(amount)`.as("amount")])
      .execute(),
    transaction
      .selectFrom("ledger_transfers")
      .groupBy("credit_account")
      .select(["credit_account as id", sql<Amount>`sum(amount)`.as("amount")])
      .execute(),
  ]);
  const byId = (rows: readonly { readonly id: string; readonly amount: Amount }[]) =>
    new Map(rows.map(({ id, amount }) => [id, amount]));
  const [debits, credits] = [byId(debited), byId(credited)];
  return accounts.map((account) => ({
    ...account,
    debited: debits.get(account.id) ?? 0,
    credited: credits.get(account.id) ?? 0,
  }));
}
