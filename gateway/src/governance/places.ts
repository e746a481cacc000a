import type { Level } from "@turnpike/contract/governance.ts";
import type { Kysely } from "kysely";

import { placeOfAttachment, type Place } from "#governance/permissions.ts";
import { findOrganization } from "#store/organizations.ts";
import { findKeyRow } from "#store/key-rows.ts";
import { findProject } from "#store/projects.ts";
import type { CoreTables } from "#store/schema.ts";
import { findTeam } from "#store/teams.ts";

type Core = Kysely<CoreTables>;

/** Where things lie, for authorization; `undefined`: there is no such thing. */
export async function placeOfOrganization(core: Core, id: string): Promise<Place | undefined> {
  const row = await findOrganization(core, id);
  return row && { organizationId: row.id };
}

export async function placeOfTeam(core: Core, id: string): Promise<Place | undefined> {
  const row = await findTeam(core, id);
  return row && { organizationId: row.organization_id, teamId: row.id };
}

/** Of a team where one is named, which must be the organization's; else of the organization. */
export async function placeOfOrganizationOrTeam(
  core: Core,
  {
    organization_id,
    team_id,
  }: { readonly organization_id: string; readonly team_id: string | null },
): Promise<Place | undefined> {
  if (team_id === null) return placeOfOrganization(core, organization_id);
  const place = await placeOfTeam(core, team_id);
  return place?.organizationId === organization_id ? place : undefined;
}

export async function placeOfProject(core: Core, id: string): Promise<Place | undefined> {
  const row = await findProject(core, id);
  return row && { organizationId: row.organization_id, teamId: row.team_id };
}

/** Of a key: its project's, and its owner's. */
export async function placeOfKey(core: Core, id: string): Promise<Place | undefined> {
  const key = await findKeyRow(core, id);
  if (key === undefined) return undefined;
  const project = await findProject(core, key.project_id);
  return {
    organizationId: key.organization_id,
    teamId: project?.team_id ?? null,
    ownerId: key.owner_id,
  };
}

const FINDERS = {
  organization: placeOfOrganization,
  team: placeOfTeam,
  project: placeOfProject,
  key: placeOfKey,
} as const satisfies Record<Level, unknown>;

/** Of what a policy or budget is attached to. */
export const placeOfTarget = (core: Core, level: Level, id: string): Promise<Place | undefined> =>
  FINDERS[level](core, id);

/** Of the policy or budget itself: who is bound by it does not move it. */
export async function placeOfAttached(
  core: Core,
  level: Level,
  targetId: string,
): Promise<Place | undefined> {
  const place = await placeOfTarget(core, level, targetId);
  return place && placeOfAttachment(level, place);
}
