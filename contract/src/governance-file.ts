import { z } from "zod";

import { alertChannelEntrySchema } from "./alerts.ts";
import {
  budgetDocumentSchema,
  keySettingsSchema,
  nameSchema,
  organizationSettingsSchema,
  PLANS,
  policyDocumentSchema,
  priceOverrideDocumentSchema,
  projectSettingsSchema,
} from "./governance.ts";
import { newOrganizationSchema } from "./api/organizations.ts";
import { newBudgetSchema } from "./api/budgets.ts";

const byName = <Value extends z.ZodType>(value: Value, what: string) =>
  z.record(nameSchema, value).optional().describe(what);

const budget = budgetDocumentSchema.extend({
  limit: newBudgetSchema.shape.limit,
});

const bounds = {
  policy: policyDocumentSchema.optional(),
  budgets: byName(budget, "By name."),
};

const key = z.strictObject({
  settings: keySettingsSchema.optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  disabled: z.boolean().optional(),
  ...bounds,
});

const renamedFrom = (what: string) =>
  z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      `Its ${what} until now: it is renamed, with all that it has. No matter once that is done.`,
    );

const project = z.strictObject({
  renamedFrom: renamedFrom("name"),
  team: nameSchema.optional().describe("Name of its team."),
  settings: projectSettingsSchema.optional(),
  ...bounds,
  keys: byName(key, "Settings of keys that there are: keys are made by `turnpike keys create`."),
});

const team = z.strictObject({ renamedFrom: renamedFrom("name"), ...bounds });

const organization = z.strictObject({
  renamedFrom: renamedFrom("slug"),
  name: nameSchema,
  plan: z.enum(PLANS).default("enterprise"),
  timeZone: newOrganizationSchema.shape.time_zone,
  settings: organizationSettingsSchema.optional(),
  ...bounds,
  priceOverrides: z.array(priceOverrideDocumentSchema).max(1_000).optional(),
  alertChannels: byName(
    alertChannelEntrySchema,
    "By name. An export has of a URL its origin only; such a one keeps the URL that there is.",
  ),
  teams: byName(team.nullable(), "By name."),
  projects: byName(project.nullable(), "By name."),
});

/** What `turnpike export` writes and `turnpike apply` reads: who may, without secrets. */
export const governanceFileSchema = z.strictObject({
  version: z.literal(1),
  organizations: z
    .record(newOrganizationSchema.shape.slug, organization)
    .describe("By slug. What a file does not name is left as it is, unless `--prune` is given."),
});
export type GovernanceFile = z.output<typeof governanceFileSchema>;
export type OrganizationEntry = z.output<typeof organization>;
export type ProjectEntry = z.output<typeof project>;
export type KeyEntry = z.output<typeof key>;
export type AlertChannelEntry = z.output<typeof alertChannelEntrySchema>;
export type BudgetEntry = z.output<typeof budget>;

/** The JSON schema of such a file, for editors. */
export const governanceFileJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(governanceFileSchema, { io: "input" }),
  title: "Turnpike governance",
  description: "Organizations, teams, projects, policies, budgets and prices.",
});
