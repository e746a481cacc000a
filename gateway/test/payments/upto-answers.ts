import type { PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import { readPayment } from "#test/chain/payer.ts";
import { ANSWER, SMALL } from "#test/payments/paying-agent.ts";

/** A request whose answer costs more than the least price. */
export const LONG = { ...SMALL, max_tokens: 10_000 };
export const LONG_ANSWER = {
  ...ANSWER,
  usage: { prompt_tokens: 10, completion_tokens: 5_000, total_tokens: 5_010 },
};
/** Nano-USD, and so many units of a token with 6 decimals. */
export const LONG_COST = 10n * 150n + 5_000n * 600n;
export const LONG_UNITS = 3_002n;

/** What is on record of a payment by Permit2. */
export async function rowOf({ core }: Store, header: string): Promise<PaymentRow | undefined> {
  const { payload } = readPayment(header);
  const { nonce } = payload["permit2Authorization"] as { nonce: string };
  const rows = await core.selectFrom("payments").selectAll().execute();
  return rows.find(({ pay_key: key }) => key.endsWith(`:${nonce}`));
}

/** What the operator has lost, in nano-USD. */
export async function lost({ core }: Store): Promise<bigint> {
  const rows = await core
    .selectFrom("ledger_transfers")
    .select("amount")
    .where("kind", "=", "loss")
    .execute();
  return rows.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}
