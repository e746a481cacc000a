import { z } from "zod";

import { nameSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const teamSchema = z.strictObject({
  object: z.literal("team"),
  id: idSchema("team_"),
  organization_id: idSchema("org_"),
  name: z.string(),
  created_at: createdAt,
  archived_at: timeSchema.nullable(),
});
export type TeamView = z.output<typeof teamSchema>;

export const newTeamSchema = z.strictObject({
  organization_id: idSchema("org_").default("org_default"),
  name: nameSchema.describe("Unique in its organization."),
});
export const teamChangeSchema = z.strictObject({ name: nameSchema });
export const teamParams = z.strictObject({ team_id: idSchema("team_") });
export const teamListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  archived: z.stringbool().default(false).describe("Archived ones, too."),
});
