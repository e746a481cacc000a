import { writeAudit } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { getPayment, paymentAdminView, type PaymentRow } from "#payments/search-payments.ts";

/**
 * Has a payment asked about, and tells the audit log who had it done and what it was before and after:
 * credit may have come of it, or gone. Throws `not_found`, and what `reconcile` throws.
 */
export async function reconcileAudited(
  deed: Deed,
  id: string,
  reconcile: (row: PaymentRow) => Promise<void>,
): Promise<PaymentRow> {
  const before = await getPayment(deed, id);
  await reconcile(before);
  const after = await getPayment(deed, id);
  await deed.core.transaction().execute((transaction) =>
    writeAudit(transaction, deed, {
      action: "payments.reconcile",
      target: { kind: "payment", id },
      organizationId: after.organization_id,
      before: paymentAdminView(before),
      after: paymentAdminView(after),
    }),
  );
  return after;
}
