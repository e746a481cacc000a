import type { PaymentAdminView } from "@turnpike/contract/api/payments.ts";

import { found, timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import { formatUsd } from "#lib/money.ts";
import { listPayments, type PaymentFilter } from "#store/payment-search.ts";
import { findPayment, type PaymentRow } from "#store/payments.ts";

export type { PaymentRow } from "#store/payments.ts";

/** A payment as operators see it. */
export const paymentAdminView = (row: PaymentRow): PaymentAdminView => ({
  object: "payment",
  id: row.id,
  organization_id: row.organization_id,
  project_id: row.project_id,
  kind: row.kind,
  state: row.state,
  reason: row.reason,
  owner: row.owner,
  network: row.network,
  asset: row.asset,
  payer: row.payer,
  pay_to: row.pay_to,
  amount: row.amount,
  amount_usd: formatUsd(BigInt(row.nano_usd)),
  transaction: row.transaction_hash,
  final: row.state === "credited" && row.block === null,
  request_id: row.request_id,
  valid_before: timeText(Math.min(row.valid_before, LATEST_MS)),
  created_at: timeText(row.created_at),
  updated_at: timeText(row.updated_at),
});

/** No date is later: clients may sign for longer. */
const LATEST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** Throws `not_found`. */
export const getPayment = async ({ core }: Deed, id: string): Promise<PaymentRow> =>
  found(await findPayment(core, id), "payment");

export async function placeOfPayment(core: Deed["core"], id: string): Promise<Place | undefined> {
  const row = await findPayment(core, id);
  return row && { organizationId: row.organization_id };
}

export const searchPayments = (
  { core }: Deed,
  wanted: Parameters<typeof listPayments>[1],
): Promise<readonly PaymentRow[]> => listPayments(core, wanted);

const PAGE = 500;

/** All payments of an organization that fit, the newest first. */
export async function* allPayments(
  { core }: Deed,
  { organizationId, ...filter }: PaymentFilter & { readonly organizationId: string },
): AsyncGenerator<PaymentRow> {
  const reach = { organizationIds: [organizationId], teamIds: [] };
  for (let after: string | undefined; ;) {
    const page = await listPayments(core, { ...filter, reach, after, limit: PAGE });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id;
  }
}
