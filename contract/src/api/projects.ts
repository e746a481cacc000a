import { z } from "zod";

import { nameSchema, projectSettingsSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const projectSchema = z.strictObject({
  object: z.literal("project"),
  id: idSchema("proj_"),
  organization_id: idSchema("org_"),
  team_id: idSchema("team_").nullable(),
  name: z.string(),
  settings: projectSettingsSchema,
  created_at: createdAt,
  archived_at: timeSchema.nullable(),
});
export type ProjectView = z.output<typeof projectSchema>;

/** Content logging is switched on by its own route, which asks for more than a change of a project. */
const settings = projectSettingsSchema.omit({ contentLog: true });

export const newProjectSchema = z.strictObject({
  organization_id: idSchema("org_").default("org_default"),
  team_id: idSchema("team_").nullable().default(null).describe("Absent: of no team."),
  name: nameSchema.describe("Unique in its organization."),
  settings: settings.optional(),
});
export const projectChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  team_id: idSchema("team_").nullable().optional(),
  settings: settings.optional(),
});
export type ProjectChange = z.output<typeof projectChangeSchema>;
export const projectParams = z.strictObject({ project_id: idSchema("proj_") });
export const projectListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  team_id: idSchema("team_").optional(),
  archived: z.stringbool().default(false).describe("Archived ones, too."),
});
