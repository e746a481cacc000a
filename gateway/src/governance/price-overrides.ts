import type { PriceOverrideView } from "@turnpike/contract/api/price-overrides.ts";
import type { PriceOverrideDocument } from "@turnpike/contract/governance.ts";

import { changeAudited } from "#governance/audit.ts";
import { checkVersion, conflict, found, timeOrNull, timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import { sharedModels } from "#ledger/override-rank.ts";
import { newId } from "#lib/ids.ts";
import { findOrganization } from "#store/organizations.ts";
import {
  findPriceOverride,
  insertPriceOverride,
  listPriceOverrides,
  priceOverridesOf,
  updatePriceOverride,
  type StoredPriceOverride,
} from "#store/price-overrides.ts";

export const priceOverrideView = (row: StoredPriceOverride): PriceOverrideView => ({
  object: "price_override",
  id: row.id,
  organization_id: row.organization_id,
  document: JSON.parse(row.document) as PriceOverrideDocument,
  created_at: timeText(row.created_at),
  archived_at: timeOrNull(row.archived_at),
});

export const getPriceOverride = async ({ core }: Deed, id: string): Promise<StoredPriceOverride> =>
  found(await findPriceOverride(core, id), "price override");

export const listPriceOverridesFor = (
  { core }: Deed,
  wanted: Parameters<typeof listPriceOverrides>[1],
): Promise<readonly StoredPriceOverride[]> => listPriceOverrides(core, wanted);

export async function placeOfPriceOverride(
  core: Deed["core"],
  id: string,
): Promise<Place | undefined> {
  const row = await findPriceOverride(core, id);
  return row && { organizationId: row.organization_id };
}

const targetOf = (row: StoredPriceOverride) =>
  ({
    target: { kind: "price-override", id: row.id },
    organizationId: row.organization_id,
  }) as const;

/**
 * Throws `conflict` where another override in force names an endpoint as exactly. The lock on the
 * directory's version keeps two at once from not seeing each other.
 */
async function checkOneCounts(
  core: Deed["core"],
  { id, organization_id, document }: Omit<StoredPriceOverride, "version">,
): Promise<void> {
  const given = JSON.parse(document) as PriceOverrideDocument;
  for (const row of await priceOverridesOf(core, organization_id)) {
    if (row.id === id) continue;
    const shared = sharedModels(given, JSON.parse(row.document) as PriceOverrideDocument);
    if (shared === undefined) continue;
    const [own, other] = shared;
    throw conflict(
      "document.models",
      `"${own}" and "${other}" of price override ${row.id} name the same endpoints equally exactly. Change or archive that one, or name models or providers more exactly.`,
    );
  }
}

export const createPriceOverride = (
  deed: Deed,
  {
    organizationId,
    document,
  }: { readonly organizationId: string; readonly document: PriceOverrideDocument },
): Promise<StoredPriceOverride> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    found(await findOrganization(transaction, organizationId), "organization", "organization_id");
    const row: StoredPriceOverride = {
      id: newId("price_", deed.now),
      organization_id: organizationId,
      document: JSON.stringify(document),
      created_at: deed.now,
      archived_at: null,
      version,
    };
    await checkOneCounts(transaction, row);
    await insertPriceOverride(transaction, row);
    await audit({ action: "prices.create", ...targetOf(row), after: row });
    return row;
  });

interface PriceChange {
  readonly action: string;
  readonly fields: { readonly document?: string; readonly archived_at?: number };
  readonly expected?: number | undefined;
}

const editPriceOverride = (
  deed: Deed,
  id: string,
  { action, fields, expected }: PriceChange,
): Promise<StoredPriceOverride> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findPriceOverride(transaction, id), "price override");
    checkVersion(before, expected);
    if (before.archived_at !== null) throw conflict("price_override_id", "It is archived.");
    const after = { ...before, ...fields, version };
    if (fields.document !== undefined) await checkOneCounts(transaction, after);
    await updatePriceOverride(transaction, id, { ...fields, version });
    await audit({ action, ...targetOf(before), before, after });
    return after;
  });

export const changePriceOverride = (
  deed: Deed,
  id: string,
  {
    document,
    expected,
  }: { readonly document: PriceOverrideDocument; readonly expected?: number | undefined },
): Promise<StoredPriceOverride> =>
  editPriceOverride(deed, id, {
    action: "prices.update",
    fields: { document: JSON.stringify(document) },
    expected,
  });

/** Takes an override out of force: the provider's own prices apply from now on. */
export const archivePriceOverride = (
  deed: Deed,
  id: string,
  expected?: number,
): Promise<StoredPriceOverride> =>
  editPriceOverride(deed, id, {
    action: "prices.archive",
    fields: { archived_at: deed.now },
    expected,
  });
