import type {
  KeyEntry,
  OrganizationEntry,
  ProjectEntry,
} from "@turnpike/contract/governance-file.ts";
import type { ProjectSettings } from "@turnpike/contract/governance.ts";

import { applyBounds } from "#governance/apply-bounds.ts";
import {
  FileFault,
  isSame,
  rowNamed,
  type Applying,
  type AtOrganization,
} from "#governance/applying.ts";
import { keyEntry } from "#governance/export-file.ts";
import { changeKey, disableKey, enableKey } from "#governance/keys.ts";
import { archiveProject, changeProject, createProject, setProject } from "#governance/projects.ts";
import { archiveTeam, createTeam, renameTeam, restoreTeam } from "#governance/teams.ts";
import type { OrganizationRows } from "#store/governance-names.ts";
import type { KeyRow } from "#store/key-rows.ts";
import type { StoredProject } from "#store/projects.ts";

/** Teams by their names, ids after that. Archived ones that a file names are taken back. */
export async function applyTeams(
  applying: Applying,
  { path: parent, organizationId, rows }: AtOrganization,
  entries: NonNullable<OrganizationEntry["teams"]>,
): Promise<ReadonlyMap<string, string>> {
  const { deed, step } = applying;
  const ids = new Map<string, string>();
  for (const [name, entry] of Object.entries(entries)) {
    const path = [...parent, "teams", name];
    const before = rowNamed(rows.teams, path, entries);
    if (before === undefined) {
      const made = await step({ path, action: "create" }, () =>
        createTeam(deed, { organizationId, name }),
      );
      ids.set(name, made?.id ?? "");
    } else {
      const isArchived = before.archived_at !== null;
      const isRenamed = before.name !== name;
      if (!isArchived && !isRenamed) await step({ path, action: "unchanged" });
      else {
        await step({ path, action: "update" }, async () => {
          if (isRenamed) await renameTeam(deed, before.id, { name });
          if (isArchived) await restoreTeam(deed, before.id);
        });
      }
      ids.set(name, before.id);
    }
    const at = { path, level: "team", id: ids.get(name) ?? "", rows } as const;
    await applyBounds(applying, at, entry ?? {});
  }
  const named = new Set(ids.values());
  for (const { id, name, archived_at: archivedAt } of rows.teams) {
    if (archivedAt === null && !named.has(id)) ids.set(name, id);
  }
  return ids;
}

interface AtTeams extends AtOrganization {
  readonly teams: ReadonlyMap<string, string>;
}

/** Projects by their names, with their keys; and teams that nothing names any more, when pruning. */
export async function applyProjects(
  applying: Applying,
  at: AtTeams,
  entries: NonNullable<OrganizationEntry["projects"]>,
): Promise<void> {
  for (const [name, entry] of Object.entries(entries)) {
    const path = [...at.path, "projects", name];
    const before = rowNamed(at.rows.projects, path, entries);
    await applyProject(applying, { ...at, path, before }, entry ?? {});
  }
}

/** Archives what the file does not name: projects first, a team with projects cannot go. */
export async function pruneProjects(
  { deed, step }: Applying,
  { path: parent, rows }: Pick<AtOrganization, "path" | "rows">,
  { teams = {}, projects = {} }: Pick<OrganizationEntry, "teams" | "projects">,
): Promise<void> {
  for (const { id, name, archived_at: archivedAt } of rows.projects) {
    if (archivedAt !== null || Object.hasOwn(projects, name)) continue;
    const path = [...parent, "projects", name];
    await step({ path, action: "delete" }, () => archiveProject(deed, id));
  }
  for (const { id, name, archived_at: archivedAt } of rows.teams) {
    if (archivedAt !== null || Object.hasOwn(teams, name)) continue;
    const path = [...parent, "teams", name];
    await step({ path, action: "delete" }, () => archiveTeam(deed, id));
  }
}

interface AtProject extends AtTeams {
  /** The project as it is, by this name or the earlier one. */
  readonly before: StoredProject | undefined;
}

async function applyProject(applying: Applying, at: AtProject, entry: ProjectEntry): Promise<void> {
  const { path, rows, teams } = at;
  const teamId = entry.team === undefined ? null : teams.get(entry.team);
  if (teamId === undefined) {
    throw new FileFault([...path, "team"], `There is no team "${entry.team}" in the organization.`);
  }
  const id = await writeProject(applying, at, { entry, teamId });
  await applyBounds(applying, { path, level: "project", id, rows }, entry);
  for (const [name, key] of Object.entries(entry.keys ?? {})) {
    const row = rows.keys.find((known) => known.project_id === id && known.name === name);
    const place = { path: [...path, "keys", name], rows };
    if (row === undefined) await applying.step({ path: place.path, action: "missing" });
    else await applyKey(applying, { ...place, row }, key);
  }
}

interface Wanted {
  readonly entry: ProjectEntry;
  readonly teamId: string | null;
}

async function writeProject(
  { deed, step }: Applying,
  { path, organizationId, before }: AtProject,
  { entry, teamId }: Wanted,
): Promise<string> {
  const name = path.at(-1) ?? "";
  const { settings } = entry;
  if (before === undefined) {
    const made = await step({ path, action: "create" }, async () => {
      const row = await createProject(deed, {
        organization_id: organizationId,
        team_id: teamId,
        name,
      });
      return settings === undefined ? row : setProject(deed, row.id, { settings });
    });
    return made?.id ?? "";
  }
  const change = changeOf(before, { settings, teamId });
  const isRenamed = before.name !== name;
  const isSet = Object.keys(change).length > 0;
  if (!isRenamed && !isSet) await step({ path, action: "unchanged" });
  else {
    await step({ path, action: "update" }, async () => {
      if (isRenamed) await changeProject(deed, before.id, { name });
      if (isSet) await setProject(deed, before.id, change);
    });
  }
  return before.id;
}

function changeOf(
  before: StoredProject,
  {
    settings,
    teamId,
  }: { readonly settings: ProjectSettings | undefined; readonly teamId: string | null },
): Parameters<typeof setProject>[2] {
  const isNew = settings !== undefined && !isSame(settings, JSON.parse(before.settings));
  return {
    ...(before.team_id !== teamId && { teamId }),
    ...(isNew && { settings }),
    ...(before.archived_at !== null && { restore: true }),
  };
}

interface AtKey {
  readonly path: readonly string[];
  readonly rows: OrganizationRows;
  readonly row: KeyRow;
}

async function applyKey(
  applying: Applying,
  { path, rows, row }: AtKey,
  entry: KeyEntry,
): Promise<void> {
  const { deed, step } = applying;
  const has = keyEntry(row);
  const { settings = {}, disabled = false } = entry;
  const expiresAt = entry.expiresAt === undefined ? null : Date.parse(entry.expiresAt);
  const isChanged = !isSame(settings, has.settings ?? {}) || expiresAt !== row.expires_at;
  const isSwitched = disabled !== (row.disabled_at !== null);
  if (!isChanged && !isSwitched) await step({ path, action: "unchanged" });
  else {
    await step({ path, action: "update" }, async () => {
      const change = { settings, expires_at: entry.expiresAt ?? null };
      if (isChanged) await changeKey(deed, row.id, change);
      if (isSwitched) await (disabled ? disableKey(deed, row.id) : enableKey(deed, row.id));
    });
  }
  await applyBounds(applying, { path, level: "key", id: row.id, rows }, entry);
}
