import { z } from "zod";

import { LEVELS, policyDocumentSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const targetIdSchema = z
  .string()
  .regex(/^(?:org|team|proj|key)_[A-Za-z0-9_-]{1,64}$/, "must be an id such as proj_…")
  .describe("What it is attached to.");

export const policySchema = z.strictObject({
  object: z.literal("policy"),
  id: idSchema("pol_"),
  organization_id: idSchema("org_"),
  level: z.enum(LEVELS),
  target_id: targetIdSchema,
  document: policyDocumentSchema,
  created_at: createdAt,
  updated_at: timeSchema,
});
export type PolicyView = z.output<typeof policySchema>;

export const policyBodySchema = z.strictObject({ document: policyDocumentSchema });
export const policyParams = z.strictObject({ level: z.enum(LEVELS), target_id: targetIdSchema });
export const policyListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
});

export const effectivePolicyQuery = z.strictObject({ key_id: idSchema("key_") });

/** Where a part of the effective policy comes from. */
const originSchema = z.strictObject({
  level: z.enum(LEVELS),
  target_id: z.string(),
  source: z.string().describe("Id of the policy, or `settings` of the key."),
});

export const effectivePolicySchema = z.strictObject({
  object: z.literal("effective_policy"),
  key_id: idSchema("key_"),
  parts: z
    .array(
      z.strictObject({
        part: z.string().describe("Such as `models.allow`, `maxRequestUsd`."),
        value: z.unknown(),
        origin: originSchema,
      }),
    )
    .describe("Each part that bounds the key, with the level that it comes from; all hold."),
});
