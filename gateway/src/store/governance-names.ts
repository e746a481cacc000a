import type { Kysely } from "kysely";

import type { KeyRow } from "#store/key-rows.ts";
import type { StoredOrganization } from "#store/organizations.ts";
import type { StoredBudget } from "#store/budgets.ts";
import type { StoredPolicy } from "#store/policies.ts";
import { priceOverridesOf, type StoredPriceOverride } from "#store/price-overrides.ts";
import type { StoredProject } from "#store/projects.ts";
import type { CoreTables } from "#store/schema.ts";
import type { StoredTeam } from "#store/teams.ts";

/** All that there is of an organization, archived teams and projects too: configuration as code goes by names. */
export interface OrganizationRows {
  readonly teams: readonly StoredTeam[];
  readonly projects: readonly StoredProject[];
  /** In force, or out of it for a time. */
  readonly keys: readonly KeyRow[];
  readonly policies: readonly StoredPolicy[];
  readonly budgets: readonly StoredBudget[];
  readonly priceOverrides: readonly StoredPriceOverride[];
}

export const allOrganizations = (
  core: Kysely<CoreTables>,
): Promise<readonly StoredOrganization[]> =>
  core.selectFrom("organizations").selectAll().orderBy("slug").execute();

export const findOrganizationBySlug = (
  core: Kysely<CoreTables>,
  slug: string,
): Promise<StoredOrganization | undefined> =>
  core.selectFrom("organizations").selectAll().where("slug", "=", slug).executeTakeFirst();

export async function rowsOfOrganization(
  core: Kysely<CoreTables>,
  id: string,
): Promise<OrganizationRows> {
  const [teams, projects, keys, policies, budgets, priceOverrides] = await Promise.all([
    core.selectFrom("teams").selectAll().where("organization_id", "=", id).orderBy("id").execute(),
    core
      .selectFrom("projects")
      .selectAll()
      .where("organization_id", "=", id)
      .orderBy("id")
      .execute(),
    core
      .selectFrom("keys")
      .selectAll()
      .where("organization_id", "=", id)
      .where("revoked_at", "is", null)
      .where("replaced_by", "is", null)
      .orderBy("id")
      .execute(),
    core
      .selectFrom("policies")
      .selectAll()
      .where("organization_id", "=", id)
      .where("deleted_at", "is", null)
      .orderBy("id")
      .execute(),
    core
      .selectFrom("budgets")
      .selectAll()
      .where("organization_id", "=", id)
      .where("archived_at", "is", null)
      .orderBy("id")
      .execute(),
    priceOverridesOf(core, id),
  ]);
  return { teams, projects, keys, policies, budgets, priceOverrides };
}
