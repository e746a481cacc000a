import type { BudgetEntry, ProjectEntry } from "@turnpike/contract/governance-file.ts";
import type { Level, PriceOverrideDocument } from "@turnpike/contract/governance.ts";

import { isSame, type Applying, type AtOrganization } from "#governance/applying.ts";
import { archiveBudget, changeBudget, createBudget } from "#governance/budgets.ts";
import { boundsAt, budgetEntry } from "#governance/export-file.ts";
import { deletePolicy, putPolicy } from "#governance/policies.ts";
import {
  archivePriceOverride,
  changePriceOverride,
  createPriceOverride,
} from "#governance/price-overrides.ts";
import { parseUsd } from "#lib/money.ts";
import type { OrganizationRows } from "#store/governance-names.ts";
import type { StoredPriceOverride } from "#store/price-overrides.ts";

export interface At {
  readonly path: readonly string[];
  readonly level: Level;
  readonly id: string;
  readonly rows: OrganizationRows;
}

/** Policy and budgets of a place. */
export async function applyBounds(
  applying: Applying,
  at: At,
  { policy, budgets = {} }: Pick<ProjectEntry, "policy" | "budgets">,
): Promise<void> {
  await applyPolicy(applying, at, policy);
  for (const [name, entry] of Object.entries(budgets)) {
    await applyBudget(applying, { ...at, path: [...at.path, "budgets", name] }, { name, entry });
  }
  if (!applying.prune) return;
  for (const row of at.rows.budgets) {
    const isHere = row.level === at.level && row.target_id === at.id;
    if (!isHere || Object.hasOwn(budgets, row.name)) continue;
    const path = [...at.path, "budgets", row.name];
    await applying.step({ path, action: "delete" }, () => archiveBudget(applying.deed, row.id));
  }
}

async function applyPolicy(
  { deed, prune, step }: Applying,
  { path: parent, level, id, rows }: At,
  document: ProjectEntry["policy"],
): Promise<void> {
  const path = [...parent, "policy"];
  const target = { level, targetId: id };
  const { policy: before } = boundsAt(rows, level, id);
  if (document === undefined) {
    if (prune && before !== undefined) {
      await step({ path, action: "delete" }, () => deletePolicy(deed, target));
    }
    return;
  }
  if (before !== undefined && isSame(before, document)) {
    await step({ path, action: "unchanged" });
    return;
  }
  const action = before === undefined ? "create" : "update";
  await step({ path, action }, () => putPolicy(deed, { ...target, document, needsVersion: false }));
}

async function applyBudget(
  { deed, step }: Applying,
  { path, level, id, rows }: At,
  { name, entry }: { readonly name: string; readonly entry: BudgetEntry },
): Promise<void> {
  const before = rows.budgets.find(
    (row) => row.level === level && row.target_id === id && row.name === name,
  );
  const { limit, ...document } = entry;
  if (before === undefined) {
    const wanted = { level, target_id: id, name, limit, document };
    await step({ path, action: "create" }, () => createBudget(deed, wanted));
    return;
  }
  const { limit: hasLimit, ...has } = budgetEntry(before);
  const isSameLimit = parseUsd(limit) === parseUsd(hasLimit);
  if (isSameLimit && isSame(document, has)) {
    await step({ path, action: "unchanged" });
    return;
  }
  await step({ path, action: "update" }, () =>
    changeBudget(deed, before.id, { document, ...(!isSameLimit && { limit }) }),
  );
}

/**
 * An override is known by what it names: of those that name the same, one has another price now. What
 * the file has not goes first, for it may stand in the way of what the file has.
 */
export async function applyPriceOverrides(
  { deed, prune, step }: Applying,
  { path: parent, organizationId, rows }: AtOrganization,
  documents: readonly PriceOverrideDocument[] = [],
): Promise<void> {
  const left = [...rows.priceOverrides];
  const take = (isIt: (known: PriceOverrideDocument) => boolean): StoredPriceOverride[] => {
    const found = left.findIndex(({ document }) => isIt(JSON.parse(document)));
    return found === -1 ? [] : left.splice(found, 1);
  };
  const same = documents.map((document) => take((known) => isSame(known, document)));
  const changed = documents.map((document, at) =>
    same[at]?.length === 0 ? take((known) => isSame(namedBy(known), namedBy(document))) : [],
  );
  for (const { id } of prune ? left : []) {
    const path = [...parent, "priceOverrides", id];
    await step({ path, action: "delete" }, () => archivePriceOverride(deed, id));
  }
  for (const [at, document] of documents.entries()) {
    const path = [...parent, "priceOverrides", String(at)];
    const [before] = changed[at] ?? [];
    if (same[at]?.length !== 0) await step({ path, action: "unchanged" });
    else if (before === undefined) {
      await step({ path, action: "create" }, () =>
        createPriceOverride(deed, { organizationId, document }),
      );
    } else {
      await step({ path, action: "update" }, () =>
        changePriceOverride(deed, before.id, { document }),
      );
    }
  }
}

const namedBy = ({ models, providers }: PriceOverrideDocument): object => ({ models, providers });
