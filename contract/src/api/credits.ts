import { z } from "zod";

import { PLANS } from "../governance.ts";

import { idSchema, pageQuery, timeSchema, usdTextSchema } from "./conventions.ts";

const amount = z
  .string()
  .regex(/^\d{1,9}(?:\.\d{1,9})?$/, "must be an amount such as 12.50")
  .describe("USD, above 0.");
const memo = z.string().trim().min(1).max(500).optional().describe("Why; it stays in the ledger.");

export const balanceSchema = z.strictObject({
  object: z.literal("credits"),
  organization_id: idSchema("org_"),
  plan: z.enum(PLANS),
  balance_usd: usdTextSchema.describe("Below 0: owed."),
  held_usd: usdTextSchema.describe("What requests under way may still take."),
});

export type BalanceView = z.output<typeof balanceSchema>;

export const bookingSchema = z.strictObject({
  object: z.literal("booking"),
  organization_id: idSchema("org_"),
  kind: z.enum(["grant", "adjustment", "refund"]),
  amount_usd: usdTextSchema,
  already_booked: z.boolean().describe("The same idempotency key was booked before."),
});

export const grantSchema = z.strictObject({
  amount_usd: amount,
  memo,
  expires_at: timeSchema.optional().describe("What is left of it then is taken back."),
});
export const adjustmentSchema = z.strictObject({
  amount_usd: amount,
  direction: z.enum(["up", "down"]),
  memo,
});
export const refundSchema = z.strictObject({
  request_id: z.string().regex(/^req_[A-Za-z0-9]{1,64}$/, "must be a request's id"),
  amount_usd: amount.optional().describe("Absent: all that the request was charged."),
});
export const creditsParams = z.strictObject({ organization_id: idSchema("org_") });

export const transferSchema = z.strictObject({
  object: z.literal("transfer"),
  seq: z.number().int(),
  id: z.string(),
  at: timeSchema,
  kind: z.string(),
  debit_account: z.string(),
  credit_account: z.string(),
  amount_usd: usdTextSchema,
  request_id: z.string().nullable(),
  project_id: z.string().nullable(),
  memo: z.string().nullable(),
});
export type TransferView = z.output<typeof transferSchema>;
export const transferListQuery = z.strictObject(pageQuery);

export const invoiceQuery = z.strictObject({
  month: z
    .string()
    .regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, "must be a month such as 2027-01")
    .describe("Of the organization's time zone."),
});
export const invoiceSchema = z.strictObject({
  object: z.literal("invoice"),
  organization_id: idSchema("org_"),
  month: z.string(),
  period_start: timeSchema,
  period_end: timeSchema,
  lines: z
    .array(
      z.strictObject({
        kind: z
          .string()
          .describe("charge, fee (of own provider keys), refund, adjustment, grant, expiry"),
        project_id: z.string().nullable(),
        project: z.string().nullable().describe("Its name now."),
        model: z.string().nullable().describe("null: of no request, or its record is deleted."),
        requests: z.number().int(),
        amount_usd: usdTextSchema.describe("Below 0: in the organization's favour."),
      }),
    )
    .describe("By project, kind and model."),
  total_usd: usdTextSchema.describe("The sum of all transfers of the month, to the nano-dollar."),
});
export type InvoiceView = z.output<typeof invoiceSchema>;
