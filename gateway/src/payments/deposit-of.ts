import type { Post } from "#ledger/commands.ts";
import { BOOKS, walletOf } from "#ledger/ledger-state.ts";
import type { PaymentRow } from "#store/payments.ts";

/** What a payment adds to its wallet, once. */
export const depositOf = (row: PaymentRow, at: number): Post => ({
  type: "post",
  id: `deposit:${row.id}`,
  at,
  kind: "deposit",
  debitAccount: BOOKS.payments,
  creditAccount: walletOf(row.owner),
  amount: BigInt(row.nano_usd),
  organizationId: row.organization_id,
  projectId: row.project_id,
  memo: `${row.kind} ${row.network} ${row.transaction_hash ?? row.pay_key}`,
});
