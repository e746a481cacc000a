import { sql, type Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import type { PaymentRow, PaymentState } from "#store/payments.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Core = Kysely<CoreTables>;

/** Which payments; all unless something is named. */
export interface PaymentFilter {
  readonly state?: PaymentState | undefined;
  readonly payer?: string | undefined;
  readonly owner?: string | undefined;
  readonly transaction?: string | undefined;
}

/** Payments within reach, the newest first. */
export function listPayments(
  core: Core,
  wanted: PageOf & PaymentFilter & { readonly reach: Reach },
): Promise<readonly PaymentRow[]> {
  const { reach, state, payer, owner, transaction, after, limit } = wanted;
  let query = core
    .selectFrom("payments")
    .selectAll()
    .where((where) => withinReach(where, reach, { organization: "organization_id" }));
  if (state !== undefined) query = query.where("state", "=", state);
  // Addresses are kept in lower case, ids of organizations as they are.
  if (payer !== undefined) query = query.where("payer", "in", [payer, payer.toLowerCase()]);
  if (owner !== undefined) query = query.where("owner", "in", [owner, owner.toLowerCase()]);
  if (transaction !== undefined) {
    query = query.where("transaction_hash", "in", [transaction, transaction.toLowerCase()]);
  }
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}

/** Where payments came from, by their ids. */
export async function sourcesOf(
  core: Core,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Pick<PaymentRow, "network" | "asset">>> {
  if (ids.length === 0) return new Map();
  const rows = await core
    .selectFrom("payments")
    .select(["id", "network", "asset"])
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map(({ id, ...source }) => [id, source]));
}

/** Those of these owners for whom anything was ever paid. */
export async function ownersWithPayments(
  core: Core,
  owners: readonly string[],
): Promise<readonly string[]> {
  if (owners.length === 0) return [];
  const rows = await core
    .selectFrom("payments")
    .select("owner")
    .distinct()
    .where("owner", "in", owners)
    .execute();
  return rows.map(({ owner }) => owner);
}

/** What is left in all wallets of an organization that were ever paid into. */
export async function outstandingCredit(core: Core, organizationId: string): Promise<bigint> {
  const { left } = await core
    .selectFrom("ledger_accounts")
    .select(sql<number | bigint>`coalesce(sum(credits - debits), 0)`.as("left"))
    .where(
      "id",
      "in",
      core
        .selectFrom("payments")
        .select(sql<string>`'wallet:' || owner`.as("id"))
        .where("organization_id", "=", organizationId),
    )
    .executeTakeFirstOrThrow();
  return BigInt(left);
}
