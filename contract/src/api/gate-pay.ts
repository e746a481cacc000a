import { z } from "zod";

import { idSchema, pageQuery, timeSchema, usdTextSchema } from "./conventions.ts";

const amount = z
  .string()
  .regex(/^\d{1,6}(?:\.\d{1,6})?$/, "must be an amount such as 12.50")
  .describe("USD.");

export const orderParams = z.strictObject({ organization_id: idSchema("org_") });
export const newOrderSchema = z.strictObject({ amount_usd: amount });
export const orderSchema = z.strictObject({
  object: z.literal("order"),
  id: idSchema("pay_").describe("Of the payment: GET /v1/payments/{id} shows how it stands."),
  organization_id: idSchema("org_"),
  state: z.string(),
  amount_usd: usdTextSchema,
  qr_content: z.string().nullable(),
  checkout_url: z.string().nullable(),
  expires_at: timeSchema,
});

export const newPayoutSchema = z.strictObject({
  payment_id: idSchema("pay_"),
  amount_usd: amount
    .optional()
    .describe("Absent: all of the order that is neither given back, spent nor held."),
});
export const payoutSchema = z.strictObject({
  object: z.literal("payout"),
  id: idSchema("rfd"),
  payment_id: idSchema("pay_"),
  organization_id: idSchema("org_"),
  state: z
    .enum(["pending", "refunded", "failed"])
    .describe("pending: off the wallet, and not known yet; failed: it is credit again."),
  amount_usd: usdTextSchema,
  reason: z.string().nullable(),
  created_at: timeSchema,
});
export const payoutListQuery = z.strictObject(pageQuery);
