import type {
  BudgetEntry,
  GovernanceFile,
  KeyEntry,
  OrganizationEntry,
  ProjectEntry,
} from "@turnpike/contract/governance-file.ts";
import type {
  BudgetDocument,
  KeySettings,
  Level,
  OrganizationSettings,
  PolicyDocument,
  PriceOverrideDocument,
  ProjectSettings,
} from "@turnpike/contract/governance.ts";

import type { ChannelsInFile } from "#governance/applying.ts";
import { amountText } from "#governance/budgets.ts";
import { timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { StoredBudget } from "#store/budgets.ts";
import {
  allOrganizations,
  rowsOfOrganization,
  type OrganizationRows,
} from "#store/governance-names.ts";
import type { KeyRow } from "#store/key-rows.ts";
import type { StoredOrganization } from "#store/organizations.ts";
import type { StoredProject } from "#store/projects.ts";

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Everything as a file says it. Secrets and history are in none. */
export async function exportGovernance(
  { core }: Pick<Deed, "core">,
  channels?: Pick<ChannelsInFile, "read">,
): Promise<GovernanceFile> {
  const organizations: Record<string, OrganizationEntry> = {};
  for (const row of await allOrganizations(core)) {
    const entry = organizationEntry(row, await rowsOfOrganization(core, row.id));
    const alertChannels = (await channels?.read({ core }, row.id)) ?? {};
    organizations[row.slug] = { ...entry, ...(!isEmpty(alertChannels) && { alertChannels }) };
  }
  return { version: 1, organizations };
}

/** An organization as the file says it. */
function organizationEntry(row: StoredOrganization, rows: OrganizationRows): OrganizationEntry {
  const settings = JSON.parse(row.settings) as OrganizationSettings;
  const teams = rows.teams.filter((team) => team.archived_at === null);
  const projects = rows.projects.filter((project) => project.archived_at === null);
  return {
    name: row.name,
    plan: row.plan,
    timeZone: row.time_zone,
    ...(!isEmpty(settings) && { settings }),
    ...boundsAt(rows, "organization", row.id),
    ...(rows.priceOverrides.length > 0 && {
      priceOverrides: rows.priceOverrides.map(
        ({ document }) => JSON.parse(document) as PriceOverrideDocument,
      ),
    }),
    ...(teams.length > 0 && {
      teams: Object.fromEntries(teams.map((team) => [team.name, boundsAt(rows, "team", team.id)])),
    }),
    ...(projects.length > 0 && {
      projects: Object.fromEntries(
        projects.map((project) => [project.name, projectEntry(project, rows)]),
      ),
    }),
  };
}

type Bounds = Pick<ProjectEntry, "policy" | "budgets">;

/** What is attached at a place. */
export function boundsAt(
  { policies, budgets }: Pick<OrganizationRows, "policies" | "budgets">,
  level: Level,
  id: string,
): Bounds {
  const policy = policies.find((one) => one.level === level && one.target_id === id);
  const own = budgets.filter((one) => one.level === level && one.target_id === id);
  return {
    ...(policy !== undefined && { policy: JSON.parse(policy.document) as PolicyDocument }),
    ...(own.length > 0 && {
      budgets: Object.fromEntries(own.map((budget) => [budget.name, budgetEntry(budget)])),
    }),
  };
}

export function budgetEntry({ document, limit_amount: limit }: StoredBudget): BudgetEntry {
  const budget = JSON.parse(document) as BudgetDocument;
  return { limit: amountText(BigInt(limit), budget.unit), ...budget };
}

function projectEntry(project: StoredProject, rows: OrganizationRows): ProjectEntry {
  const settings = JSON.parse(project.settings) as ProjectSettings;
  const team = rows.teams.find(({ id }) => id === project.team_id);
  const keys = rows.keys.filter((key) => key.project_id === project.id);
  return {
    ...(team !== undefined && { team: team.name }),
    ...(!isEmpty(settings) && { settings }),
    ...boundsAt(rows, "project", project.id),
    ...(keys.length > 0 && {
      keys: Object.fromEntries(
        keys.map((key) => [key.name, { ...keyEntry(key), ...boundsAt(rows, "key", key.id) }]),
      ),
    }),
  };
}

/** What a file says of a key itself. */
export function keyEntry(key: KeyRow): KeyEntry {
  const settings = JSON.parse(key.settings) as KeySettings;
  return {
    ...(!isEmpty(settings) && { settings }),
    ...(key.expires_at !== null && { expiresAt: timeText(key.expires_at) }),
    ...(key.disabled_at !== null && { disabled: true }),
  };
}
