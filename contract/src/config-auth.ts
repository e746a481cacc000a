import { z } from "zod";

import { ROLES } from "./governance.ts";
import { siteUrl } from "./site-url.ts";

const name = z.string().min(1).max(200);

const grant = z
  .strictObject({
    organization: name.describe("Its slug or its id."),
    team: name.optional().describe("Its name or its id; the whole organization unless given."),
    role: z.enum(ROLES),
  })
  .describe("What members of the group may do.");

const oidc = z.strictObject({
  name: name.optional().describe("What people read on the button; Single sign-on by default."),
  issuer: siteUrl("The provider's issuer; its discovery document must name the same."),
  clientId: name,
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .describe("Write ${VARIABLE}, not the secret itself. None: a public client, by PKCE alone."),
  scopes: z
    .array(name)
    .max(20)
    .optional()
    .describe("openid, email and profile by default; many providers need groups, too."),
  groupsClaim: name.optional().describe("Claim that holds the groups; groups by default."),
  groups: z
    .record(name, z.union([grant, z.array(grant).max(50)]))
    .optional()
    .describe("Groups and what their members may do; applied at each sign-in."),
  allowedDomains: z
    .array(name)
    .max(50)
    .optional()
    .describe("Only people with a verified address of these domains."),
  autoCreate: z
    .boolean()
    .optional()
    .describe("Whether people whom a group gives a role may come uninvited; yes by default."),
  linkByEmail: z
    .boolean()
    .optional()
    .describe("Whether a verified address takes over the account that has it; no by default."),
});

/** How people sign in. */
export const authSection = z.strictObject({
  publicUrl: siteUrl(
    "How browsers reach the gateway, such as https://gate.example.com: where it stands behind a proxy, and for single sign-on.",
  ).optional(),
  oidc: oidc.optional().describe("Single sign-on by OpenID Connect."),
});

export type AuthSection = z.output<typeof authSection>;
export type OidcSection = z.output<typeof oidc>;
