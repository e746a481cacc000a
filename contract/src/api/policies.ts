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

export const effectivePolicyQuery = z.strictObject({
  key_id: idSchema("key_").optional(),
  project_id: idSchema("proj_").optional().describe("Instead of a key."),
});

export const effectivePolicySchema = z.strictObject({
  object: z.literal("effective_policy"),
  level: z.enum(["project", "key"]),
  target_id: targetIdSchema,
  parts: z
    .array(
      z.strictObject({
        part: z.string().describe("Such as `models.allow`, `maxRequestUsd`."),
        rule: z
          .string()
          .describe(
            "How the levels make one: all-of, any-of, smallest, true-wins, narrowest, each.",
          ),
        effective: z.unknown(),
        from: z.array(
          z.strictObject({
            level: z.enum(LEVELS),
            target_id: z.string(),
            source: z.string().describe("Id of the policy, or `settings` of the key."),
            value: z.unknown(),
          }),
        ),
      }),
    )
    .describe("Each part that bounds the key, and which level says what."),
});
