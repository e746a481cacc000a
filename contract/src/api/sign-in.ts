import { z } from "zod";

import { ROLES } from "../governance.ts";

const email = z.string().min(1).max(254).describe("Capital letters do not matter.");
/** Not checked here beyond its size: what a password must be is said in words of its own. */
const password = z.string().max(4_000);
const name = z.string().trim().max(200);
const token = z.string().min(1).max(200);

export const signInSchema = z.strictObject({ email, password });

export const passwordChangeSchema = z.strictObject({
  current_password: password,
  new_password: password.describe(
    "At least 12 characters. All sessions end, this one begins anew.",
  ),
});

export const setupSchema = z.strictObject({
  token: token.describe("The one-time token that the gateway printed."),
  email,
  name: name.optional(),
  password,
});

export const acceptInvitationSchema = z.strictObject({
  token: token.describe("Of the link."),
  name: name.optional().describe("Of somebody who has no account yet."),
  password: password.optional().describe("The same."),
});

export const passwordResetSchema = z.strictObject({
  token: token.describe("Of the link."),
  password: password.describe("At least 12 characters. All sessions end."),
});

/** Who is signed in, or whose admin key it is. */
export const sessionSchema = z.object({
  user: z
    .object({
      id: z.string(),
      kind: z.enum(["person", "service"]),
      name: z.string(),
      is_platform_admin: z.boolean(),
    })
    .nullable(),
  memberships: z.array(
    z.object({
      organization_id: z.string(),
      team_id: z.string().nullable(),
      role: z.enum(ROLES),
    }),
  ),
  scopes: z
    .array(z.string())
    .nullable()
    .describe("Of an admin key; null: all that the roles allow."),
  csrf_token: z
    .string()
    .nullable()
    .describe("Of a session: each change sends it as the header x-csrf-token."),
});
export type SessionDocument = z.input<typeof sessionSchema>;

/** How people sign in here. */
export const signInMethodsSchema = z.object({
  password: z.literal(true),
  oidc: z.object({ name: z.string(), start_url: z.string() }).nullable(),
});
