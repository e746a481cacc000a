import type { Post } from "#ledger/commands.ts";
import { kindOf, type Account, type LedgerState, type Transfer } from "#ledger/ledger-state.ts";

/** The account, opened where it is not there yet. */
export function requireAccount(
  state: LedgerState,
  id: string,
  opened: { readonly at: number; readonly organizationId: string | null },
): Account {
  const known = state.accounts.get(id);
  if (known !== undefined) return known;
  // An account that is opened anew where there is one would lose all that was booked on it.
  if (!state.asked.has(id)) throw new RangeError(`account ${id} was not looked for`);
  const kind = kindOf(id);
  const account: Account = {
    id,
    kind,
    // The books of the operator belong to no organization, whoever is the first to need them.
    organizationId: kind === "wallet" || kind === "project" ? opened.organizationId : null,
    debits: 0n,
    credits: 0n,
    pending: 0n,
    createdAt: opened.at,
  };
  state.accounts.set(id, account);
  state.changed.accounts.add(account);
  return account;
}

/** Books a transfer: one amount, off one account and onto another. The only place where balances change. */
export function book(state: LedgerState, transfer: Transfer): void {
  if (transfer.amount <= 0n) throw new RangeError(`transfer ${transfer.id} of ${transfer.amount}`);
  if (state.booked.has(transfer.id)) throw new RangeError(`transfer ${transfer.id} is booked`);
  const debited = requireAccount(state, transfer.debitAccount, transfer);
  const credited = requireAccount(state, transfer.creditAccount, transfer);
  debited.debits += transfer.amount;
  credited.credits += transfer.amount;
  state.booked.add(transfer.id);
  state.changed.accounts.add(debited).add(credited);
  state.changed.transfers.push(transfer);
}

/** What somebody asks to be booked, as it is booked. */
export const transferOf = (post: Post): Transfer => ({
  id: post.id,
  at: post.at,
  kind: post.kind,
  debitAccount: post.debitAccount,
  creditAccount: post.creditAccount,
  amount: post.amount,
  requestId: post.requestId ?? null,
  organizationId: post.organizationId,
  projectId: post.projectId ?? null,
  memo: post.memo ?? null,
});
