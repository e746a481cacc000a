import {
  budgetDocumentSchema,
  keySettingsSchema,
  organizationSettingsSchema,
  policyDocumentSchema,
  priceOverrideDocumentSchema,
  projectSettingsSchema,
  type KeySettings,
  type Level,
  type PolicyDocument,
} from "@turnpike/contract/governance.ts";

import type { Failure } from "#canonical/failure.ts";
import type {
  Access,
  AccessKey,
  AccessOrganization,
  ActiveBudget,
  LevelLimits,
} from "#governance/access.ts";
import type { DirectoryTables, Row } from "#governance/directory-tables.ts";
import { effectivePolicy, type PolicyLayer } from "#governance/effective-policy.ts";
import { readAddressRanges } from "#governance/ip-ranges.ts";
import { PLAN_FACTS } from "#governance/plans.ts";
import type { StoredKey } from "#store/keys.ts";

/** A key's access, or why it is refused for as long as the directory stays as it is. */
export type Found = { readonly access: Access } | { readonly refused: Failure };

/** What is attached at one level of the tree that a key hangs on. */
export interface Place {
  readonly level: Level;
  readonly id: string;
}

/** Puts together what applies to a key that is no earlier secret of another. */
export function buildAccess(key: StoredKey, tables: DirectoryTables): Found {
  const refused = keyRefusal(key) ?? ownerRefusal(key, tables);
  if (refused !== undefined) return { refused };
  try {
    return accessOf(key, tables);
  } catch {
    // A document of a newer Turnpike, or damaged: what it forbids is not known, so all is.
    return { refused: UNREADABLE };
  }
}

/** An earlier secret of a key that was rotated: it is that key, as long as its own state allows. */
export function earlierSecret(secret: StoredKey, current: Found | undefined): Found {
  const refused = keyRefusal(secret);
  if (refused !== undefined) return { refused };
  if (current === undefined) return { refused: GONE };
  if ("refused" in current) return current;
  const { access } = current;
  const expiresAt = earliest(secret.expiresAt, access.key.expiresAt);
  return { access: { ...access, key: { ...access.key, expiresAt } } };
}

function accessOf(key: StoredKey, tables: DirectoryTables): Found {
  const organization = tables.organizations.get(key.organizationId);
  const project = tables.projects.get(key.projectId);
  if (organization === undefined || project === undefined) return { refused: GONE };
  if (organization.disabled_at !== null) return { refused: DISABLED_ORGANIZATION };
  if (project.archived_at !== null) return { refused: ARCHIVED_PROJECT };
  const team = project.team_id === null ? undefined : tables.teams.get(project.team_id);
  const above = placesAbove({ level: "project", id: project.id }, tables) ?? [];
  const places: readonly Place[] = [...above, { level: "key", id: key.id }];
  const settings = key.settings === "{}" ? NO_SETTINGS : parsedSettings(key.settings);
  const layers = policyLayers(places, tables);
  return {
    access: {
      key: accessKey(key, settings),
      organization: accessOrganization(organization),
      ...(team !== undefined && { team: { id: team.id, name: team.name } }),
      project: {
        id: project.id,
        name: project.name,
        settings: projectSettingsSchema.parse(JSON.parse(project.settings)),
      },
      policy: effectivePolicy([...layers, ...settingsLayer(key.id, settings)]),
      limits: [...planLimits(organization), ...limitsOf(layers)],
      budgets: places.flatMap((place) => budgetsAt(place, tables)),
      priceOverrides: overridesOf(organization.id, tables),
    },
  };
}

/** Nearly all keys have none. */
const NO_SETTINGS: KeySettings = {};

const parsedSettings = (text: string): KeySettings => keySettingsSchema.parse(JSON.parse(text));

const accessKey = (
  { id, name, hint, ownerId, createdAt, expiresAt }: StoredKey,
  settings: KeySettings,
): AccessKey => ({
  id,
  name,
  hint,
  ownerId,
  settings,
  createdAt,
  expiresAt,
  ...(settings.ipRanges !== undefined && { addresses: readAddressRanges(settings.ipRanges) }),
});

const accessOrganization = (row: Row<"organizations">): AccessOrganization => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  plan: row.plan,
  timeZone: row.time_zone,
  settings: organizationSettingsSchema.parse(JSON.parse(row.settings)),
});

/** The places from the organization down to one, itself included; `undefined`: it is not there. */
export function placesAbove(
  { level, id }: Place,
  tables: Pick<DirectoryTables, "organizations" | "teams" | "projects" | "keys">,
): readonly Place[] | undefined {
  const above = ABOVE[level](id, tables);
  if (above === undefined) return undefined;
  const higher = above === null ? [] : placesAbove(above, tables);
  return higher && [...higher, { level, id }];
}

/** What each level hangs on; `null`: on nothing. */
const ABOVE: Readonly<
  Record<
    Level,
    (
      id: string,
      tables: Pick<DirectoryTables, "organizations" | "teams" | "projects" | "keys">,
    ) => Place | null | undefined
  >
> = {
  organization: (id, { organizations }) => (organizations.has(id) ? null : undefined),
  team: (id, { teams }) => placeOf("organization", teams.get(id)?.organization_id),
  project: (id, { projects }) => {
    const project = projects.get(id);
    return project?.team_id == null
      ? placeOf("organization", project?.organization_id)
      : { level: "team", id: project.team_id };
  },
  key: (id, { keys }) => placeOf("project", keys.get(id)?.projectId),
};

const placeOf = (level: Level, id: string | undefined): Place | undefined =>
  id === undefined ? undefined : { level, id };

/** The policies at the places, the widest first. */
export const policyLayers = (
  places: readonly Place[],
  { policies }: Pick<DirectoryTables, "policies">,
): readonly PolicyLayer[] =>
  places.flatMap(({ level, id }) => {
    const row = policies.get(`${level}:${id}`);
    if (row === undefined) return [];
    const document = policyDocumentSchema.parse(JSON.parse(row.document));
    return [{ origin: { level, targetId: id, source: row.id }, document }];
  });

/** What a key's own settings bound is one more policy at its level. */
export function settingsLayer(
  keyId: string,
  { models, providers, endpoints }: Access["key"]["settings"],
): readonly PolicyLayer[] {
  if (models === undefined && providers === undefined && endpoints === undefined) return [];
  const document: PolicyDocument = {
    ...(models !== undefined && { models: { allow: models } }),
    ...(providers !== undefined && { providers: { allow: providers } }),
  };
  const origin = { level: "key", targetId: keyId, source: "settings" } as const;
  return [{ origin, document, ...(endpoints !== undefined && { endpoints }) }];
}

const planLimits = ({ id, plan }: Row<"organizations">): readonly LevelLimits[] => {
  const { limits } = PLAN_FACTS[plan];
  return limits === undefined
    ? []
    : [{ level: "organization", targetId: id, limits, source: "plan" }];
};

const limitsOf = (layers: readonly PolicyLayer[]): readonly LevelLimits[] =>
  layers.flatMap(({ origin, document: { limits } }) =>
    limits === undefined ? [] : [{ ...origin, limits }],
  );

function budgetsAt(
  { level, id: targetId }: Place,
  { budgets }: DirectoryTables,
): readonly ActiveBudget[] {
  return [...(budgets.get(`${level}:${targetId}`)?.values() ?? [])].map((row) => ({
    id: row.id,
    name: row.name,
    level,
    targetId,
    document: budgetDocumentSchema.parse(JSON.parse(row.document)),
    limit: BigInt(row.limit_amount),
    pausedAt: row.paused_at,
    resetAt: row.reset_at,
  }));
}

/** By id, so by age: of two that name an endpoint equally exactly, made when that was let in, the first counts. */
const overridesOf = (
  organizationId: string,
  { priceOverrides }: DirectoryTables,
): Access["priceOverrides"] =>
  [...(priceOverrides.get(organizationId)?.values() ?? [])]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((row) => priceOverrideDocumentSchema.parse(JSON.parse(row.document)));

const earliest = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);

function keyRefusal({ revokedAt, disabledAt }: StoredKey): Failure | undefined {
  if (revokedAt !== null) return REVOKED;
  return disabledAt === null ? undefined : DISABLED;
}

const ownerRefusal = (
  { ownerId }: StoredKey,
  { disabledUsers }: DirectoryTables,
): Failure | undefined =>
  ownerId !== null && disabledUsers.has(ownerId) ? DISABLED_OWNER : undefined;

const REVOKED: Failure = {
  code: "unauthenticated",
  message: "The API key was revoked. Ask the operator for a new one (`turnpike keys create`).",
};

const DISABLED: Failure = {
  code: "forbidden",
  message: "The API key is disabled. Whoever administers its project can enable it again.",
};

const DISABLED_OWNER: Failure = {
  code: "forbidden",
  message:
    "The owner of this API key is disabled, and its keys with it. Whoever administers the organization can enable the owner again, or give the key another one.",
};

/** Its organization, project or successor is not in the directory: rows are never removed, so nobody made it so. */
const GONE: Failure = {
  code: "forbidden",
  message: "The API key belongs to a project that does not exist. Ask the operator for another.",
};

const DISABLED_ORGANIZATION: Failure = {
  code: "forbidden",
  message: "The organization of this API key is disabled. Ask the operator of the gateway.",
};

const ARCHIVED_PROJECT: Failure = {
  code: "forbidden",
  message: "The project of this API key is archived. Ask for a key of another project.",
};

const UNREADABLE: Failure = {
  code: "store_unavailable",
  message:
    "A policy, budget or setting of this API key cannot be read by this version of the gateway; nothing is allowed until it can. Tell the operator.",
};
