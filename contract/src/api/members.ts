import { z } from "zod";

import { nameSchema, ROLES } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

const roleSchema = z.enum(ROLES);
const place = {
  organization_id: idSchema("org_").default("org_default"),
  team_id: idSchema("team_").nullable().default(null).describe("Absent: the whole organization."),
};

export const memberSchema = z.strictObject({
  object: z.literal("member"),
  id: idSchema("mem_"),
  user_id: idSchema("user_"),
  organization_id: idSchema("org_"),
  team_id: idSchema("team_").nullable(),
  role: roleSchema,
  source: z.enum(["manual", "invitation", "oidc"]),
  kind: z.enum(["person", "service"]),
  name: z.string(),
  email: z.string().nullable(),
  created_at: createdAt,
  disabled_at: timeSchema.nullable(),
});
export type MemberView = z.output<typeof memberSchema>;
export const memberParams = z.strictObject({ member_id: idSchema("mem_") });
export const roleChangeSchema = z.strictObject({ role: roleSchema });
export const memberListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
});
export const userParams = z.strictObject({ user_id: idSchema("user_") });
export const userStateSchema = z.strictObject({ id: idSchema("user_"), disabled: z.boolean() });

export const invitationSchema = z.strictObject({
  object: z.literal("invitation"),
  id: idSchema("inv_"),
  organization_id: idSchema("org_"),
  team_id: idSchema("team_").nullable(),
  email: z.string(),
  role: roleSchema,
  state: z.enum(["open", "accepted", "revoked", "expired"]),
  invited_by: z.string(),
  created_at: createdAt,
  expires_at: timeSchema,
});
export type InvitationView = z.output<typeof invitationSchema>;
export const shownInvitationSchema = invitationSchema.extend({
  token: z.string().describe("For the invited person's link. It is shown this once."),
});
export const newInvitationSchema = z.strictObject({
  ...place,
  email: z.string().min(3).max(254),
  role: roleSchema,
});
export const invitationParams = z.strictObject({ invitation_id: idSchema("inv_") });

export const resetLinkSchema = z.strictObject({
  object: z.literal("password_reset"),
  user_id: idSchema("user_"),
  expires_at: timeSchema,
  token: z.string().describe("For the link `/password-reset?token=…`. It is shown this once."),
});

export const serviceAccountSchema = z.strictObject({
  object: z.literal("service_account"),
  id: idSchema("user_"),
  organization_id: idSchema("org_"),
  name: z.string(),
  created_at: createdAt,
  disabled_at: timeSchema.nullable(),
});
export type ServiceAccountView = z.output<typeof serviceAccountSchema>;
export const newServiceAccountSchema = z.strictObject({
  ...place,
  name: nameSchema,
  role: roleSchema,
});
export const serviceAccountParams = z.strictObject({ service_account_id: idSchema("user_") });

export const adminKeySchema = z.strictObject({
  object: z.literal("admin_key"),
  id: idSchema("akey_"),
  organization_id: idSchema("org_").nullable(),
  owner_id: idSchema("user_"),
  name: z.string(),
  hint: z.string(),
  scopes: z.array(z.string()),
  created_at: createdAt,
  expires_at: timeSchema.nullable(),
  revoked_at: timeSchema.nullable(),
  last_used_at: timeSchema.nullable(),
});
export type AdminKeyView = z.output<typeof adminKeySchema>;
export const shownAdminKeySchema = adminKeySchema.extend({
  key: z.string().describe("The key. It is shown this once and kept nowhere."),
});
const MAX_SCOPES = 100;
export const newAdminKeySchema = z.strictObject({
  organization_id: idSchema("org_")
    .nullable()
    .default("org_default")
    .describe("null: all organizations of its owner; for platform admins only."),
  name: nameSchema,
  owner_id: idSchema("user_").optional().describe("A service account; absent: yourself."),
  scopes: z.array(z.string().min(1).max(64)).min(1).max(MAX_SCOPES),
  expires_at: timeSchema.nullable().default(null),
});
export const adminKeyParams = z.strictObject({ admin_key_id: idSchema("akey_") });
export const adminKeyListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
});
