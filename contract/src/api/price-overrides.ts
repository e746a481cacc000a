import { z } from "zod";

import { priceOverrideDocumentSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const priceOverrideSchema = z.strictObject({
  object: z.literal("price_override"),
  id: idSchema("price_"),
  organization_id: idSchema("org_"),
  document: priceOverrideDocumentSchema,
  created_at: createdAt,
  archived_at: timeSchema.nullable(),
});
export type PriceOverrideView = z.output<typeof priceOverrideSchema>;

export const newPriceOverrideSchema = z.strictObject({
  organization_id: idSchema("org_"),
  document: priceOverrideDocumentSchema,
});
export const priceOverrideChangeSchema = z.strictObject({ document: priceOverrideDocumentSchema });
export const priceOverrideParams = z.strictObject({ price_override_id: idSchema("price_") });
export const priceOverrideListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
});
