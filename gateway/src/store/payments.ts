import type { Kysely } from "kysely";

import type { NonceUse } from "#store/ledger-uses.ts";
import type { CoreTables } from "#store/schema.ts";
import { isUnique } from "#store/store-error.ts";

export type PaymentRow = CoreTables["payments"];
export type PaymentState = PaymentRow["state"];

type Core = Kysely<CoreTables>;

/** Claims a payment: `undefined` where it is there already, by whomever. */
export async function insertPayment(core: Core, row: PaymentRow): Promise<PaymentRow | undefined> {
  const { id } =
    (await core
      .insertInto("payments")
      .values(row)
      .onConflict((conflict) => conflict.column("pay_key").doNothing())
      .returning("id")
      .executeTakeFirst()) ?? {};
  return id === undefined ? undefined : row;
}

export const findPaymentByKey = (core: Core, payKey: string): Promise<PaymentRow | undefined> =>
  core.selectFrom("payments").selectAll().where("pay_key", "=", payKey).executeTakeFirst();

export const findPayment = (core: Core, id: string): Promise<PaymentRow | undefined> =>
  core.selectFrom("payments").selectAll().where("id", "=", id).executeTakeFirst();

/** Whether the money that was held for a request is still held. */
export async function isHoldOpen(core: Core, requestId: string): Promise<boolean> {
  const held = core.selectFrom("holds").select("state").where("id", "=", requestId);
  return (await held.executeTakeFirst())?.state === "open";
}

/** How many orders of an organization wait to be paid, one of them left out. */
export async function countOpenOrders(
  core: Core,
  { organizationId, besides }: { readonly organizationId: string; readonly besides: string },
): Promise<number> {
  const { count } = await core
    .selectFrom("payments")
    .select((select) => select.fn.countAll<number | string | bigint>().as("count"))
    .where("state", "=", "claimed")
    .where("kind", "=", "gate-pay")
    .where("organization_id", "=", organizationId)
    .where("id", "!=", besides)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** What changes of a payment. */
export type PaymentChange = Partial<
  Pick<
    PaymentRow,
    | "state"
    | "amount"
    | "nano_usd"
    | "transaction_hash"
    | "transfer_ref"
    | "block"
    | "reason"
    | "request_id"
    | "gateway"
    | "updated_at"
    | "facts"
    | "payer"
    | "valid_before"
  >
>;

/**
 * Changes a payment that is in one of these states; `false`: it is not (any more). Rejects with
 * `isUnique` when its transfer has paid for another one.
 */
export async function changePayment(
  core: Core,
  { id, from, unchangedSince }: ChangedFrom,
  change: PaymentChange,
): Promise<boolean> {
  let query = core
    .updateTable("payments")
    .set(change)
    .where("id", "=", id)
    .where("state", "in", from);
  if (unchangedSince !== undefined) query = query.where("updated_at", "=", unchangedSince);
  const { numUpdatedRows } = await query.executeTakeFirst();
  return numUpdatedRows > 0n;
}

interface ChangedFrom {
  readonly id: string;
  readonly from: readonly PaymentState[];
  /** Only where nobody else has changed it since it was read. */
  readonly unchangedSince?: number;
}

/** Payments that are not at their end and were left alone since a moment, the oldest first. */
export const openPayments = (
  core: Core,
  { kinds, states, before, limit }: OpenFilter,
): Promise<readonly PaymentRow[]> =>
  core
    .selectFrom("payments")
    .selectAll()
    .where("kind", "in", kinds)
    .where("state", "in", states)
    .where("updated_at", "<", before)
    .orderBy("updated_at")
    .limit(limit)
    .execute();

/**
 * Payments by `upto` that nobody works at any more: whoever was settling them has not gone on since
 * `before`, or they ended before that while they were answered.
 */
export const abandonedUpto = (
  core: Core,
  { before, limit }: Pick<OpenFilter, "before" | "limit">,
): Promise<readonly PaymentRow[]> =>
  core
    .selectFrom("payments")
    .selectAll()
    .where("kind", "=", "upto")
    .where("state", "=", "claimed")
    .where((where) =>
      where.or([
        where.and([where("gateway", "is not", null), where("updated_at", "<", before)]),
        where("valid_before", "<", before),
      ]),
    )
    .orderBy("updated_at")
    .limit(limit)
    .execute();

/** Payments in blocks that may still be taken back. */
export const paymentsToConfirm = (
  core: Core,
  network: string,
  limit: number,
): Promise<readonly PaymentRow[]> =>
  core
    .selectFrom("payments")
    .selectAll()
    .where("state", "=", "credited")
    .where("network", "=", network)
    .where("block", "is not", null)
    .orderBy("updated_at")
    .limit(limit)
    .execute();

interface OpenFilter {
  readonly kinds: readonly PaymentRow["kind"][];
  readonly states: readonly PaymentState[];
  /** Unix milliseconds. */
  readonly before: number;
  readonly limit: number;
}

/** Uses a nonce up; `false`: it was used before. */
export async function useNonce(core: Core, { nonce, expiresAt }: NonceUse): Promise<boolean> {
  try {
    await core.insertInto("wallet_nonces").values({ nonce, expires_at: expiresAt }).execute();
    return true;
  } catch (error) {
    if (isUnique(error)) return false;
    throw error;
  }
}

export async function deleteExpiredNonces(core: Core, now: number): Promise<void> {
  await core.deleteFrom("wallet_nonces").where("expires_at", "<", now).execute();
}
