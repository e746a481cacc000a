import type { BalanceView, TransferView } from "@turnpike/contract/api/credits.ts";

import { timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { getOrganization } from "#governance/organizations.ts";
import { creditBalance } from "#ledger/credits.ts";
import { formatSignedUsd, formatUsd } from "#lib/money.ts";
import { listTransfers, type ListedTransfer, type TransferFilter } from "#store/ledger-reads.ts";

/** What an organization has left, and what is held. Throws `not_found`. */
export async function showCredits(deed: Deed, organizationId: string): Promise<BalanceView> {
  const { id, plan } = await getOrganization(deed, organizationId);
  const { balance, held } = await creditBalance(deed.core, id);
  return {
    object: "credits",
    organization_id: id,
    plan,
    balance_usd: formatSignedUsd(balance),
    held_usd: formatUsd(held),
  };
}

/** What was booked for an organization, the newest first. */
export const transfersOf = (
  { core }: Deed,
  filter: TransferFilter,
): Promise<readonly ListedTransfer[]> => listTransfers(core, filter);

export const transferView = (row: ListedTransfer): TransferView => ({
  object: "transfer",
  seq: row.seq,
  id: row.id,
  at: timeText(row.at),
  kind: row.kind,
  debit_account: row.debit_account,
  credit_account: row.credit_account,
  amount_usd: formatUsd(BigInt(row.amount)),
  request_id: row.request_id,
  project_id: row.project_id,
  memo: row.memo,
});
