import { z } from "zod";

import { keySettingsSchema, nameSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const keySchema = z.strictObject({
  object: z.literal("key"),
  id: idSchema("key_"),
  organization_id: idSchema("org_"),
  project_id: idSchema("proj_"),
  owner_id: idSchema("user_").nullable(),
  name: z.string(),
  hint: z.string().describe("First and last characters, to tell keys apart."),
  state: z.enum(["active", "disabled", "expired", "revoked"]),
  settings: keySettingsSchema,
  created_at: createdAt,
  expires_at: timeSchema.nullable(),
  disabled_at: timeSchema.nullable(),
  revoked_at: timeSchema.nullable(),
  last_used_at: timeSchema.nullable().describe("To the minute."),
});
export type KeyView = z.output<typeof keySchema>;

/** The only answers that hold a key itself. */
export const shownKeySchema = keySchema.extend({
  key: z.string().describe("The key. It is shown this once and kept nowhere."),
});

export const newKeySchema = z.strictObject({
  project_id: idSchema("proj_").default("proj_default"),
  name: nameSchema.describe("Unique among the project's keys in force."),
  owner_id: idSchema("user_")
    .nullable()
    .optional()
    .describe("A member or service account; absent: yourself; null: nobody."),
  expires_at: timeSchema.nullable().default(null),
  settings: keySettingsSchema.optional(),
});
export type NewKeyBody = z.output<typeof newKeySchema>;

export const keyChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  owner_id: idSchema("user_").nullable().optional(),
  expires_at: timeSchema.nullable().optional(),
  settings: keySettingsSchema.optional().describe("In place of all settings that it has."),
});
export type KeyChange = z.output<typeof keyChangeSchema>;

const MAX_OVERLAP_SECONDS = 30 * 24 * 60 * 60;

export const keyRotationSchema = z.strictObject({
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .default(0)
    .describe("How long the earlier key works on beside the new one."),
});

export const keyParams = z.strictObject({ key_id: idSchema("key_") });
export const keyListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  team_id: idSchema("team_").optional(),
  project_id: idSchema("proj_").optional(),
  owner_id: idSchema("user_").optional(),
  search: z.string().min(1).max(200).optional().describe("Part of the name."),
  revoked: z.stringbool().default(false).describe("Revoked ones, too."),
});
