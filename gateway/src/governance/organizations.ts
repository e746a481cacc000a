import type {
  newOrganizationSchema,
  OrganizationChange,
  OrganizationView,
} from "@turnpike/contract/api/organizations.ts";
import type { OrganizationSettings } from "@turnpike/contract/governance.ts";
import type { z } from "zod";

import { changeAudited } from "#governance/audit.ts";
import {
  checkVersion,
  conflict,
  definedOnly,
  found,
  timeOrNull,
  timeText,
  uniquely,
} from "#governance/checks.ts";
import { grantOfPlan } from "#governance/credits.ts";
import type { Deed } from "#governance/deed.ts";
import { organizationsOf } from "#governance/reach.ts";
import { newId } from "#lib/ids.ts";
import {
  findOrganization,
  insertOrganization,
  listOrganizations,
  updateOrganization,
  type StoredOrganization,
} from "#store/organizations.ts";
import type { PageOf } from "#store/page.ts";

export const organizationView = (row: StoredOrganization): OrganizationView => ({
  object: "organization",
  id: row.id,
  slug: row.slug,
  name: row.name,
  plan: row.plan,
  time_zone: row.time_zone,
  settings: JSON.parse(row.settings) as OrganizationSettings,
  created_at: timeText(row.created_at),
  disabled_at: timeOrNull(row.disabled_at),
});

export const getOrganization = async ({ core }: Deed, id: string): Promise<StoredOrganization> =>
  found(await findOrganization(core, id), "organization");

/** A page of the organizations that the actor belongs to. */
export function organizationsOfActor(
  { core, actor }: Deed,
  page: PageOf,
): Promise<readonly StoredOrganization[]> {
  const ids = organizationsOf(actor);
  return listOrganizations(core, { ...page, ...(ids !== "all" && { ids }) });
}

/** Makes an organization; its slug must be new. */
export const createOrganization = (
  deed: Deed,
  { settings = { contentLogAllowed: false }, ...wanted }: z.output<typeof newOrganizationSchema>,
): Promise<StoredOrganization> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const row: StoredOrganization = {
      ...wanted,
      id: newId("org_", deed.now),
      settings: JSON.stringify(settings),
      created_at: deed.now,
      disabled_at: null,
      version,
    };
    await uniquely("slug", TAKEN, insertOrganization(transaction, row));
    await audit({
      action: "organizations.create",
      target: { kind: "organization", id: row.id },
      organizationId: row.id,
      after: row,
    });
    await grantOfPlan(deed, { transaction }, row);
    return row;
  });

const TAKEN = "Another organization has this slug.";

/** Changes an organization. */
export const changeOrganization = (
  deed: Deed,
  id: string,
  { expected, ...change }: OrganizationChange & { readonly expected?: number | undefined },
): Promise<StoredOrganization> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findOrganization(transaction, id), "organization");
    checkVersion(before, expected);
    const { settings, disabled, ...named } = change;
    if (disabled === true && id === "org_default") {
      throw conflict("disabled", "The default organization cannot be disabled.");
    }
    const fields = {
      ...definedOnly(named),
      ...(settings !== undefined && { settings: settingsFor(deed, before, settings) }),
      ...(disabled !== undefined && {
        disabled_at: disabled ? (before.disabled_at ?? deed.now) : null,
      }),
      version,
    };
    await uniquely("slug", TAKEN, updateOrganization(transaction, id, fields));
    const after = { ...before, ...fields };
    await audit({
      action: "organizations.update",
      target: { kind: "organization", id },
      organizationId: id,
      before,
      after,
    });
    if (after.plan !== before.plan) await grantOfPlan(deed, { transaction }, after);
    return after;
  });

/** What costs the platform stays as the platform set it, whatever the organization's people send. */
function settingsFor(
  { actor }: Deed,
  before: StoredOrganization,
  settings: OrganizationSettings,
): string {
  if (actor.isPlatformAdmin) return JSON.stringify(settings);
  const { creditLimitUsd, byokFeePercent } = JSON.parse(before.settings) as OrganizationSettings;
  return JSON.stringify({ ...settings, creditLimitUsd, byokFeePercent });
}
