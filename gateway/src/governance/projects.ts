import type {
  newProjectSchema,
  ProjectChange,
  ProjectView,
} from "@turnpike/contract/api/projects.ts";
import type { OrganizationSettings, ProjectSettings } from "@turnpike/contract/governance.ts";
import type { Transaction } from "kysely";
import type { z } from "zod";

import { changeAudited } from "#governance/audit.ts";
import {
  checkVersion,
  conflict,
  definedOnly,
  found,
  notFound,
  timeOrNull,
  timeText,
  uniquely,
} from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { can } from "#governance/permissions.ts";
import { newId } from "#lib/ids.ts";
import { findOrganization } from "#store/organizations.ts";
import {
  findProject,
  insertProject,
  listProjects,
  updateProject,
  type StoredProject,
} from "#store/projects.ts";
import type { CoreTables } from "#store/schema.ts";
import { findTeam } from "#store/teams.ts";

export const projectView = (row: StoredProject): ProjectView => ({
  object: "project",
  id: row.id,
  organization_id: row.organization_id,
  team_id: row.team_id,
  name: row.name,
  settings: JSON.parse(row.settings) as ProjectSettings,
  created_at: timeText(row.created_at),
  archived_at: timeOrNull(row.archived_at),
});

export const getProject = async ({ core }: Deed, id: string): Promise<StoredProject> =>
  found(await findProject(core, id), "project");

export const listProjectsFor = (
  { core }: Deed,
  wanted: Wanted,
): Promise<readonly StoredProject[]> => listProjects(core, wanted);

type Wanted = Parameters<typeof listProjects>[1];

const TAKEN = "Another project of the organization has this name, or an archived one had it.";

type NewProject = z.output<typeof newProjectSchema>;

export const createProject = (
  deed: Deed,
  { organization_id, team_id, name, settings = {} }: NewProject,
): Promise<StoredProject> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    found(await findOrganization(transaction, organization_id), "organization", "organization_id");
    await checkTeam(transaction, organization_id, team_id);
    const row: StoredProject = {
      id: newId("proj_", deed.now),
      organization_id,
      team_id,
      name,
      settings: JSON.stringify(settings),
      created_at: deed.now,
      archived_at: null,
      version,
    };
    await uniquely("name", TAKEN, insertProject(transaction, row));
    await audit({
      action: "projects.create",
      target: { kind: "project", id: row.id },
      organizationId: organization_id,
      after: row,
    });
    return row;
  });

/** A team of the same organization, in use. */
async function checkTeam(
  transaction: Transaction<CoreTables>,
  organizationId: string,
  teamId: string | null,
): Promise<void> {
  if (teamId === null) return;
  const team = await findTeam(transaction, teamId);
  if (team?.organization_id !== organizationId) throw notFound("team", "team_id");
  if (team.archived_at !== null) throw conflict("team_id", "The team is archived.");
}

/** Changes a project. To move it to another team one must be allowed to write there, too. */
export const changeProject = (
  deed: Deed,
  id: string,
  { expected, ...change }: ProjectChange & { readonly expected?: number | undefined },
): Promise<StoredProject> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findProject(transaction, id), "project");
    checkVersion(before, expected);
    const organizationId = before.organization_id;
    const { settings, team_id: teamId, ...named } = change;
    if (teamId !== undefined && teamId !== before.team_id) {
      if (!can(deed.actor, "projects.write", { organizationId, teamId })) {
        throw notFound("team", "team_id");
      }
      await checkTeam(transaction, organizationId, teamId);
    }
    const kept = JSON.parse(before.settings) as ProjectSettings;
    const fields = {
      ...definedOnly({ ...named, team_id: teamId }),
      ...(settings !== undefined && { settings: JSON.stringify(withContentLog(settings, kept)) }),
      version,
    };
    await uniquely("name", TAKEN, updateProject(transaction, id, fields));
    const after = { ...before, ...fields };
    await audit({
      action: "projects.update",
      target: { kind: "project", id },
      organizationId,
      before,
      after,
    });
    return after;
  });

/** Content logging has a route of its own: other settings leave it as it is. */
const withContentLog = (
  settings: ProjectSettings,
  { contentLog }: ProjectSettings,
): ProjectSettings => ({
  ...settings,
  ...(contentLog !== undefined && { contentLog }),
});

/** Takes a project out of use: its keys are refused, its records stay. */
export const archiveProject = (
  deed: Deed,
  id: string,
  { expected }: { readonly expected?: number | undefined } = {},
): Promise<void> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findProject(transaction, id), "project");
    checkVersion(before, expected);
    if (before.archived_at !== null) return;
    if (id === "proj_default") {
      throw conflict("project_id", "The default project cannot be archived.");
    }
    await updateProject(transaction, id, { archived_at: deed.now, version });
    await audit({
      action: "projects.archive",
      target: { kind: "project", id },
      organizationId: before.organization_id,
      before,
      after: { ...before, archived_at: deed.now },
    });
  });

interface ProjectState {
  readonly teamId?: string | null;
  readonly settings?: ProjectSettings;
  /** Takes an archived one back into use. */
  readonly restore?: true;
}

/** Makes a project as an operator's file says: all settings, content logging too where it is allowed. */
export const setProject = (
  deed: Deed,
  id: string,
  { teamId, settings, restore }: ProjectState,
): Promise<StoredProject> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findProject(transaction, id), "project");
    const organizationId = before.organization_id;
    if (teamId !== undefined) await checkTeam(transaction, organizationId, teamId);
    if (settings?.contentLog !== undefined) await checkContentLog(transaction, organizationId);
    const fields = {
      ...(teamId !== undefined && { team_id: teamId }),
      ...(settings !== undefined && { settings: JSON.stringify(settings) }),
      ...(restore === true && { archived_at: null }),
      version,
    };
    await updateProject(transaction, id, fields);
    const after = { ...before, ...fields };
    await audit({
      action: "projects.update",
      target: { kind: "project", id },
      organizationId,
      before,
      after,
    });
    return after;
  });

async function checkContentLog(
  transaction: Transaction<CoreTables>,
  organizationId: string,
): Promise<void> {
  const organization = found(await findOrganization(transaction, organizationId), "organization");
  const { contentLogAllowed } = JSON.parse(organization.settings) as OrganizationSettings;
  if (contentLogAllowed) return;
  throw conflict(
    "settings.contentLog",
    "The organization does not allow content logs (settings.contentLogAllowed).",
  );
}
