import type { PaymentRow } from "#store/payments.ts";

const NOW = Date.parse("2026-05-01T12:00:00Z");

/** A payment of a thousandth of a dollar that is in the ledger, unless told otherwise. */
export const paymentRow = (id: string, changes: Partial<PaymentRow> = {}): PaymentRow => ({
  id,
  pay_key: `eip155:31337:0xasset:0xpayer:${id}`,
  kind: "request",
  state: "credited",
  organization_id: "org_default",
  project_id: "proj_default",
  owner: "0xpayer",
  network: "eip155:31337",
  asset: "0xasset",
  payer: "0xpayer",
  pay_to: "0x00000000000000000000000000000000000000a1",
  amount: "1000",
  nano_usd: 1_000_000,
  facts: JSON.stringify({ nonce: "0x1", method: "eip3009" }),
  header_digest: id,
  request_digest: id,
  transaction_hash: `0x${id}`,
  transfer_ref: `eip155:31337:0x${id}:1`,
  block: null,
  reason: null,
  request_id: null,
  gateway: null,
  valid_before: NOW + 120_000,
  created_at: NOW,
  updated_at: NOW,
  ...changes,
});
