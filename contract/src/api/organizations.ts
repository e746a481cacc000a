import { z } from "zod";

import { nameSchema, organizationSettingsSchema, PLANS } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

const slugSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and hyphens")
  .describe("Its name in URLs, single sign-on and configuration files; unique.");

const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, "must be an IANA time zone such as Europe/Berlin")
  .describe("IANA name; budgets begin their days and months in it.");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export const organizationSchema = z.strictObject({
  object: z.literal("organization"),
  id: idSchema("org_"),
  slug: z.string(),
  name: z.string(),
  plan: z.enum(PLANS),
  time_zone: z.string(),
  settings: organizationSettingsSchema,
  created_at: createdAt,
  disabled_at: timeSchema.nullable(),
});
export type OrganizationView = z.output<typeof organizationSchema>;

export const newOrganizationSchema = z.strictObject({
  name: nameSchema,
  slug: slugSchema,
  plan: z.enum(PLANS).default("enterprise"),
  time_zone: timeZoneSchema.default("UTC"),
  settings: organizationSettingsSchema.optional(),
});

/** What the organization's own people may change. */
export const organizationChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  time_zone: timeZoneSchema.optional(),
  settings: organizationSettingsSchema
    .omit({ creditLimitUsd: true, byokFeePercent: true })
    .optional(),
});

/** What only the platform may change: the plan, and all that costs the platform money or trust. */
export const organizationPlatformChangeSchema = organizationChangeSchema.extend({
  slug: slugSchema.optional(),
  plan: z.enum(PLANS).optional(),
  settings: organizationSettingsSchema.optional(),
  disabled: z.boolean().optional().describe("Keys and members of a disabled one are refused."),
});
export type OrganizationChange = z.output<typeof organizationPlatformChangeSchema>;

export const organizationParams = z.strictObject({ organization_id: idSchema("org_") });
export const organizationListQuery = z.strictObject(pageQuery);
