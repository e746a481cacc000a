import type { TeamView } from "@turnpike/contract/api/teams.ts";

import { changeAudited } from "#governance/audit.ts";
import {
  checkVersion,
  conflict,
  found,
  timeOrNull,
  timeText,
  uniquely,
} from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { newId } from "#lib/ids.ts";
import { findOrganization } from "#store/organizations.ts";
import { listProjects } from "#store/projects.ts";
import { findTeam, insertTeam, listTeams, updateTeam, type StoredTeam } from "#store/teams.ts";

export const teamView = (row: StoredTeam): TeamView => ({
  object: "team",
  id: row.id,
  organization_id: row.organization_id,
  name: row.name,
  created_at: timeText(row.created_at),
  archived_at: timeOrNull(row.archived_at),
});

export const getTeam = async ({ core }: Deed, id: string): Promise<StoredTeam> =>
  found(await findTeam(core, id), "team");

export const listTeamsFor = ({ core }: Deed, wanted: Wanted): Promise<readonly StoredTeam[]> =>
  listTeams(core, wanted);

type Wanted = Parameters<typeof listTeams>[1];

const TAKEN = "Another team of the organization has this name, or an archived one had it.";

export const createTeam = (
  deed: Deed,
  { organizationId, name }: { readonly organizationId: string; readonly name: string },
): Promise<StoredTeam> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    found(await findOrganization(transaction, organizationId), "organization", "organization_id");
    const row: StoredTeam = {
      id: newId("team_", deed.now),
      organization_id: organizationId,
      name,
      created_at: deed.now,
      archived_at: null,
      version,
    };
    await uniquely("name", TAKEN, insertTeam(transaction, row));
    await audit({
      action: "teams.create",
      target: { kind: "team", id: row.id },
      organizationId,
      after: row,
    });
    return row;
  });

export const renameTeam = (
  deed: Deed,
  id: string,
  { name, expected }: { readonly name: string; readonly expected?: number | undefined },
): Promise<StoredTeam> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findTeam(transaction, id), "team");
    checkVersion(before, expected);
    await uniquely("name", TAKEN, updateTeam(transaction, id, { name, version }));
    const after = { ...before, name, version };
    await audit({
      action: "teams.update",
      target: { kind: "team", id },
      organizationId: before.organization_id,
      before,
      after,
    });
    return after;
  });

/** Takes an empty team out of use; what refers to it stays. Throws `conflict` while it has projects. */
export const archiveTeam = (
  deed: Deed,
  id: string,
  { expected }: { readonly expected?: number | undefined } = {},
): Promise<void> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findTeam(transaction, id), "team");
    checkVersion(before, expected);
    if (before.archived_at !== null) return;
    const [project] = await listProjects(transaction, {
      reach: "all",
      archived: false,
      teamId: id,
      limit: 1,
    });
    if (project !== undefined) {
      throw conflict("team_id", "The team has projects. Move or archive them first.");
    }
    const after = { ...before, archived_at: deed.now, version };
    await updateTeam(transaction, id, { archived_at: deed.now, version });
    await audit({
      action: "teams.archive",
      target: { kind: "team", id },
      organizationId: before.organization_id,
      before,
      after,
    });
  });

/** Takes an archived team back into use. */
export const restoreTeam = (deed: Deed, id: string): Promise<void> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findTeam(transaction, id), "team");
    await updateTeam(transaction, id, { archived_at: null, version });
    await audit({
      action: "teams.restore",
      target: { kind: "team", id },
      organizationId: before.organization_id,
      before,
      after: { ...before, archived_at: null },
    });
  });
