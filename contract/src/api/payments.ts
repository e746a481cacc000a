import { z } from "zod";

import { idSchema, listOf, pageQuery, timeSchema, usdTextSchema } from "./conventions.ts";

export const PAYMENT_STATES = [
  "claimed",
  "unknown",
  "refused",
  "paid",
  "credited",
  "failed",
  "reversed",
] as const;

const text = z.string().min(1).max(200);

const paymentWhat = {
  state: z.enum(PAYMENT_STATES).optional(),
  payer: text.optional().describe("Address, or what the payment service calls the payer."),
  owner: text.optional().describe("Whose credit it is: an address or an organization."),
  transaction: text.optional().describe("Hash of the transaction."),
};

export const paymentListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  ...paymentWhat,
});
export const paymentExportQuery = z.strictObject({
  organization_id: idSchema("org_"),
  ...paymentWhat,
});
export const paymentParams = z.strictObject({ payment_id: idSchema("pay_") });

export const paymentSchema = z.strictObject({
  object: z.literal("payment"),
  id: idSchema("pay_"),
  organization_id: idSchema("org_"),
  project_id: idSchema("proj_").nullable(),
  kind: z.enum(["request", "upto", "top-up", "gate-pay"]),
  state: z.enum(PAYMENT_STATES).describe("What to do for each is in docs/payments.md."),
  reason: z.string().nullable().describe("Why it is in this state."),
  owner: z.string().describe("Whose credit it is: an address or an organization."),
  network: z.string(),
  asset: z.string(),
  payer: z.string(),
  pay_to: z.string(),
  amount: z.string().describe("In the smallest unit of the asset."),
  amount_usd: usdTextSchema,
  transaction: z.string().nullable(),
  final: z.boolean().describe("It is as deep in its chain as the configuration asks for."),
  request_id: z.string().nullable().describe("The request that it was used for."),
  valid_before: timeSchema.describe("After this it cannot be settled any more."),
  created_at: timeSchema,
  updated_at: timeSchema,
});
export type PaymentAdminView = z.output<typeof paymentSchema>;
export const paymentListSchema = listOf(paymentSchema);

const day = z.iso.date({ error: "must be a day such as 2027-01-31" });

export const revenueQuery = z.strictObject({
  organization_id: idSchema("org_"),
  from: day.describe("First day, UTC."),
  to: day.describe("Last day, UTC; counted whole."),
  by: z.enum(["day", "network", "asset"]).default("day"),
});

const received = {
  payments: z.number().int(),
  deposits_usd: usdTextSchema.describe("What was paid in."),
  reversals_usd: usdTextSchema.describe("What chains have taken back of it."),
};
const spent = {
  payouts_usd: usdTextSchema.describe("What of orders was given back by Gate Pay."),
  charges_usd: usdTextSchema.describe("What requests took from wallets that were paid into."),
  other_usd: usdTextSchema.describe("Grants, refunds, corrections, expired credits."),
};

export const revenueSchema = z.strictObject({
  object: z.literal("revenue"),
  organization_id: idSchema("org_"),
  from: z.string(),
  to: z.string(),
  time_zone: z.literal("UTC"),
  by: z.enum(["day", "network", "asset"]),
  data: z.array(
    z.strictObject({
      day: z.string().optional(),
      network: z.string().optional(),
      asset: z.string().optional(),
      ...received,
      payouts_usd: spent.payouts_usd.optional(),
      charges_usd: spent.charges_usd.optional().describe("By day only: credit has no network."),
      other_usd: spent.other_usd.optional(),
    }),
  ),
  total: z.strictObject({ ...received, ...spent }),
  outstanding_usd: usdTextSchema.describe(
    "What is left now of all that was ever paid in: owed in answers.",
  ),
});
export type RevenueView = z.output<typeof revenueSchema>;
