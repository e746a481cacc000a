import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type RefundRow = CoreTables["payment_refunds"];
export type RefundState = RefundRow["state"];

type Core = Kysely<CoreTables>;

/** `false`: there is one of this number, or of this key, already. */
export async function insertRefund(core: Core, row: RefundRow): Promise<boolean> {
  const inserted = await core
    .insertInto("payment_refunds")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** All of a payment. */
export const refundsOf = (core: Core, paymentId: string): Promise<readonly RefundRow[]> =>
  core
    .selectFrom("payment_refunds")
    .selectAll()
    .where("payment_id", "=", paymentId)
    .orderBy("number")
    .execute();

/** Changes a refund as it was read; `false`: somebody else has changed it since. */
export async function changeRefund(
  core: Core,
  { id, state, updated_at: updatedAt }: RefundRow,
  change: Partial<Pick<RefundRow, "state" | "reason">> & Pick<RefundRow, "updated_at">,
): Promise<boolean> {
  const { numUpdatedRows } = await core
    .updateTable("payment_refunds")
    .set(change)
    .where("id", "=", id)
    .where("state", "=", state)
    .where("updated_at", "=", updatedAt)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Refunds that are not at their end and were left alone since a moment, the oldest first. */
export const openRefunds = (
  core: Core,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<readonly RefundRow[]> =>
  core
    .selectFrom("payment_refunds")
    .selectAll()
    .where("state", "not in", ["refunded", "failed"])
    .where("updated_at", "<", before)
    .orderBy("updated_at")
    .limit(limit)
    .execute();

/** An organization's, the newest first; `after`: the last of the page before. */
export function listRefunds(
  core: Core,
  { organizationId, after, limit }: RefundFilter,
): Promise<readonly RefundRow[]> {
  let query = core
    .selectFrom("payment_refunds")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("id", "desc")
    .limit(limit);
  if (after !== undefined) query = query.where("id", "<", after);
  return query.execute();
}

interface RefundFilter {
  readonly organizationId: string;
  readonly after: string | undefined;
  readonly limit: number;
}
