import type { DirectoryRows } from "#store/directory.ts";
import type { StoredKey } from "#store/keys.ts";

/** One row of a table. */
export type Row<Name extends keyof DirectoryRows> =
  DirectoryRows[Name] extends readonly (infer One)[] ? One : never;

/** The directory's rows, found by what they are asked for. Rows that are out of force are left out. */
export interface DirectoryTables {
  readonly keys: Map<string, StoredKey>;
  readonly keysByDigest: Map<string, StoredKey>;
  readonly organizations: Map<string, Row<"organizations">>;
  readonly teams: Map<string, Row<"teams">>;
  readonly projects: Map<string, Row<"projects">>;
  /** By `level:target`; there is one each. */
  readonly policies: Map<string, Row<"policies">>;
  /** By `level:target`, then by id. */
  readonly budgets: Map<string, Map<string, Row<"budgets">>>;
  /** By organization, then by id. */
  readonly priceOverrides: Map<string, Map<string, Row<"priceOverrides">>>;
  /** Ids of people and service accounts that are out of force, and their keys with them. */
  readonly disabledUsers: Set<string>;
}

export const emptyTables = (): DirectoryTables => ({
  keys: new Map(),
  keysByDigest: new Map(),
  organizations: new Map(),
  teams: new Map(),
  projects: new Map(),
  policies: new Map(),
  budgets: new Map(),
  priceOverrides: new Map(),
  disabledUsers: new Set(),
});

/** Takes in what changed. */
export function applyRows(tables: DirectoryTables, rows: DirectoryRows): void {
  for (const key of rows.keys) applyKey(tables, key);
  for (const row of rows.organizations) tables.organizations.set(row.id, row);
  for (const row of rows.teams) tables.teams.set(row.id, row);
  for (const row of rows.projects) tables.projects.set(row.id, row);
  for (const row of rows.policies) {
    const place = `${row.level}:${row.target_id}`;
    if (row.deleted_at === null) tables.policies.set(place, row);
    else if (tables.policies.get(place)?.id === row.id) tables.policies.delete(place);
  }
  for (const row of rows.budgets) {
    const place = `${row.level}:${row.target_id}`;
    applyWithin(tables.budgets, place, { row, isOver: row.archived_at !== null });
  }
  for (const row of rows.priceOverrides) {
    const isOver = row.archived_at !== null;
    applyWithin(tables.priceOverrides, row.organization_id, { row, isOver });
  }
  for (const row of rows.users) applyUser(tables, row);
}

function applyUser({ disabledUsers }: DirectoryTables, { id, disabled_at }: Row<"users">): void {
  if (disabled_at === null) disabledUsers.delete(id);
  else disabledUsers.add(id);
}

function applyKey({ keys, keysByDigest }: DirectoryTables, given: StoredKey): void {
  const before = keys.get(given.id);
  // A rotated key has another secret: by the old one its successor's row is found.
  if (before !== undefined && keysByDigest.get(before.digest) === before) {
    keysByDigest.delete(before.digest);
  }
  keys.set(given.id, given);
  keysByDigest.set(given.digest, given);
}

function applyWithin<One extends { readonly id: string }>(
  within: Map<string, Map<string, One>>,
  place: string,
  { row, isOver }: { readonly row: One; readonly isOver: boolean },
): void {
  const there = within.get(place) ?? new Map<string, One>();
  if (isOver) there.delete(row.id);
  else there.set(row.id, row);
  if (there.size > 0) within.set(place, there);
  else within.delete(place);
}
