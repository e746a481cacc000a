import type { GovernanceFile, OrganizationEntry } from "@turnpike/contract/governance-file.ts";

import { GatewayError } from "#canonical/failure.ts";
import { applyBounds, applyPriceOverrides } from "#governance/apply-bounds.ts";
import { applyProjects, applyTeams, pruneProjects } from "#governance/apply-projects.ts";
import {
  FileFault,
  isSame,
  type Applying,
  type ChannelsInFile,
  type PlanEntry,
} from "#governance/applying.ts";
import { asOneChange } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { changeOrganization, createOrganization } from "#governance/organizations.ts";
import { findOrganizationBySlug, rowsOfOrganization } from "#store/governance-names.ts";
import type { StoredOrganization } from "#store/organizations.ts";

interface Options {
  /** Tells what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly prune: boolean;
  /** Absent: the file's alert channels are left alone. */
  readonly channels?: Pick<ChannelsInFile, "apply">;
}

/**
 * Makes the store as the file says, in one transaction, and tells what that took. Doing it again
 * changes nothing. Throws `FileFault`, and then nothing has changed.
 */
export async function applyGovernance(
  deed: Deed,
  file: GovernanceFile,
  { dryRun, prune, channels }: Options,
): Promise<readonly PlanEntry[]> {
  const plan: PlanEntry[] = [];
  try {
    await asOneChange(deed, async (within) => {
      const step: Applying["step"] = async (entry, act) => {
        plan.push(entry);
        return act === undefined ? undefined : inWords(entry.path, act);
      };
      for (const [slug, entry] of Object.entries(file.organizations)) {
        const applying = { deed: within, prune, step };
        const organizationId = await applyOrganization(applying, slug, entry);
        const at = { path: ["organizations", slug], organizationId };
        await channels?.apply(applying, at, entry.alertChannels ?? {});
      }
      // The plan is what doing it told; then it is undone.
      if (dryRun) throw new DryRun();
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return plan;
}

class DryRun extends Error {}

async function inWords<Result>(
  path: readonly string[],
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof GatewayError && error.failure.code !== "store_unavailable") {
      throw new FileFault(path, error.failure.message);
    }
    throw error;
  }
}

async function applyOrganization(
  applying: Applying,
  slug: string,
  entry: OrganizationEntry,
): Promise<string> {
  const path = ["organizations", slug];
  const { core } = applying.deed;
  const id = (await writeOrganization(applying, path, entry)).id;
  const rows = await rowsOfOrganization(core, id);
  await applyBounds(applying, { path, level: "organization", id, rows }, entry);
  await applyPriceOverrides(applying, { path, organizationId: id, rows }, entry.priceOverrides);
  const teams = await applyTeams(applying, { path, organizationId: id, rows }, entry.teams ?? {});
  await applyProjects(applying, { path, organizationId: id, rows, teams }, entry.projects ?? {});
  if (!applying.prune) return id;
  // Read anew: what was renamed is named by the file now.
  await pruneProjects(applying, { path, rows: await rowsOfOrganization(core, id) }, entry);
  return id;
}

async function writeOrganization(
  { deed, step }: Applying,
  path: readonly string[],
  { name, plan, timeZone, settings, renamedFrom }: OrganizationEntry,
): Promise<StoredOrganization> {
  const slug = path[1] ?? "";
  const wanted = { name, plan, time_zone: timeZone };
  const before =
    (await findOrganizationBySlug(deed.core, slug)) ??
    (renamedFrom === undefined ? undefined : await findOrganizationBySlug(deed.core, renamedFrom));
  if (before === undefined) {
    const made = await step({ path, action: "create" }, () =>
      createOrganization(deed, { ...wanted, slug, settings }),
    );
    if (made !== undefined) return made;
  }
  if (before === undefined) throw new Error("a step gives what it did");
  const { name: hasName, plan: hasPlan, time_zone } = before;
  const isAsWanted =
    before.slug === slug &&
    isSame(wanted, { name: hasName, plan: hasPlan, time_zone }) &&
    (settings === undefined || isSame(settings, JSON.parse(before.settings)));
  if (isAsWanted) {
    await step({ path, action: "unchanged" });
    return before;
  }
  const change = { ...wanted, slug, ...(settings !== undefined && { settings }) };
  await step({ path, action: "update" }, () => changeOrganization(deed, before.id, change));
  return before;
}
