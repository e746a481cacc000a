import { z } from "zod";

import { budgetDocumentSchema, LEVELS, nameSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";
import { targetIdSchema } from "./policies.ts";

const limitSchema = z
  .union([
    z.string().regex(/^\d{1,9}(?:\.\d{1,9})?$/, "must be an amount such as 12.50"),
    z.number().min(0).max(999_999_999),
  ])
  .describe("USD, or whole tokens, as `unit` says.");

export const budgetSchema = z.strictObject({
  object: z.literal("budget"),
  id: idSchema("bud_"),
  organization_id: idSchema("org_"),
  level: z.enum(LEVELS),
  target_id: targetIdSchema,
  name: z.string(),
  limit: z.string().describe("Decimal USD, or whole tokens."),
  document: budgetDocumentSchema,
  created_at: createdAt,
  paused_at: timeSchema.nullable(),
  reset_at: timeSchema.nullable().describe("Counting began anew then."),
  archived_at: timeSchema.nullable(),
});
export type BudgetView = z.output<typeof budgetSchema>;

export const newBudgetSchema = z.strictObject({
  level: z.enum(LEVELS),
  target_id: targetIdSchema,
  name: nameSchema,
  limit: limitSchema,
  document: budgetDocumentSchema,
});
export type NewBudget = z.output<typeof newBudgetSchema>;

/** The unit stays: what is counted already could not be compared. */
export const budgetChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  limit: limitSchema.optional(),
  document: budgetDocumentSchema.optional(),
});
export type BudgetChange = z.output<typeof budgetChangeSchema>;

export const budgetParams = z.strictObject({ budget_id: idSchema("bud_") });
export const budgetListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  level: z.enum(LEVELS).optional(),
  target_id: targetIdSchema.optional(),
  archived: z.stringbool().default(false).describe("Archived ones, too."),
});

const amounts = {
  used: z.string(),
  held: z.string().describe("What requests under way may still take."),
};

export const budgetUsageSchema = z.strictObject({
  object: z.literal("budget_usage"),
  budget_id: idSchema("bud_"),
  unit: z.enum(["usd", "tokens"]),
  limit: z.string(),
  ...amounts,
  period_start: timeSchema,
  period_end: timeSchema.nullable(),
  forecast: z
    .string()
    .nullable()
    .describe("Use at the end of the period if it goes on like this; null: too early to tell."),
  subjects: z
    .array(z.strictObject({ subject: z.string(), ...amounts }))
    .describe("Where it counts each apart, the most used first; else one."),
});
export type BudgetUsageView = z.output<typeof budgetUsageSchema>;
