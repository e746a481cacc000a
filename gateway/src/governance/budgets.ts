import type {
  BudgetChange,
  BudgetUsageView,
  BudgetView,
  NewBudget,
} from "@turnpike/contract/api/budgets.ts";
import type { BudgetDocument } from "@turnpike/contract/governance.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import {
  checkVersion,
  conflict,
  found,
  timeOrNull,
  timeText,
  type Versioned,
} from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import { placeOfAttached, placeOfTarget } from "#governance/places.ts";
import { budgetUsage } from "#ledger/budget-usage.ts";
import { newId } from "#lib/ids.ts";
import { formatUsd, parseUsd } from "#lib/money.ts";
import {
  findBudget,
  hasBudgetNamed,
  insertBudget,
  listBudgets,
  updateBudget,
  type StoredBudget,
} from "#store/budgets.ts";
import { findOrganization } from "#store/organizations.ts";

export function budgetView(row: StoredBudget): BudgetView {
  const document = JSON.parse(row.document) as BudgetDocument;
  return {
    object: "budget",
    id: row.id,
    organization_id: row.organization_id,
    level: row.level,
    target_id: row.target_id,
    name: row.name,
    limit: amountText(BigInt(row.limit_amount), document.unit),
    document,
    created_at: timeText(row.created_at),
    paused_at: timeOrNull(row.paused_at),
    reset_at: timeOrNull(row.reset_at),
    archived_at: timeOrNull(row.archived_at),
  };
}

type Unit = BudgetDocument["unit"];

/** Nano-USD as decimal USD, or tokens. */
export const amountText = (amount: bigint, unit: Unit): string =>
  unit === "usd" ? formatUsd(amount) : amount.toString();

/** USD to nano-USD, or whole tokens. */
function readAmount(limit: string | number, unit: Unit): bigint {
  if (unit === "usd") return parseUsd(limit);
  if (/^\d+$/.test(String(limit))) return BigInt(limit);
  throw invalidRequest("limit", "limit must be a whole number of tokens.");
}

export const getBudget = async ({ core }: Pick<Deed, "core">, id: string): Promise<StoredBudget> =>
  found(await findBudget(core, id), "budget");

export const listBudgetsFor = (
  { core }: Deed,
  wanted: Parameters<typeof listBudgets>[1],
): Promise<readonly StoredBudget[]> => listBudgets(core, wanted);

export async function placeOfBudget(core: Deed["core"], id: string): Promise<Place | undefined> {
  const row = await findBudget(core, id);
  return row && placeOfAttached(core, row.level, row.target_id);
}

export const createBudget = (deed: Deed, wanted: NewBudget): Promise<StoredBudget> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const { level, target_id, name, document } = wanted;
    const place = found(await placeOfTarget(transaction, level, target_id), level, "target_id");
    const organizationId = found(place.organizationId ?? undefined, level, "target_id");
    if (await hasBudgetNamed(transaction, wanted)) throw conflict("name", NAMED);
    const row: StoredBudget = {
      id: newId("bud_", deed.now),
      organization_id: organizationId,
      level,
      target_id,
      name,
      document: JSON.stringify(document),
      limit_amount: readAmount(wanted.limit, document.unit),
      paused_at: null,
      reset_at: null,
      created_at: deed.now,
      archived_at: null,
      version,
    };
    await insertBudget(transaction, row);
    await audit({ action: "budgets.create", ...targetOf(row), after: row });
    return row;
  });

const NAMED = "There is a budget of this name there already.";

const targetOf = (row: StoredBudget) =>
  ({ target: { kind: "budget", id: row.id }, organizationId: row.organization_id }) as const;

interface Edit extends Versioned {
  readonly id: string;
  readonly action: string;
}

/** Changes a budget that is in force; `edit` says how. */
const editBudget = (
  deed: Deed,
  { id, action, expected }: Edit,
  edit: (
    before: StoredBudget,
    change: Change,
  ) => Partial<StoredBudget> | Promise<Partial<StoredBudget>>,
): Promise<StoredBudget> =>
  changeAudited(deed, async (change) => {
    const { transaction, version, audit } = change;
    const before = found(await findBudget(transaction, id), "budget");
    checkVersion(before, expected);
    if (before.archived_at !== null) throw conflict("budget_id", "The budget is archived.");
    const fields = { ...(await edit(before, change)), version };
    const after = { ...before, ...fields };
    await updateBudget(transaction, id, fields);
    await audit({ action, ...targetOf(before), before, after });
    return after;
  });

/** Changes name, limit or document. A raised limit lets a paused budget go on. */
export const changeBudget = (
  deed: Deed,
  id: string,
  { expected, name, limit, document }: BudgetChange & Versioned,
): Promise<StoredBudget> =>
  editBudget(deed, { id, expected, action: "budgets.update" }, async (before, { transaction }) => {
    const { unit } = JSON.parse(before.document) as BudgetDocument;
    if (document !== undefined && document.unit !== unit) {
      throw invalidRequest("document.unit", "document.unit stays: make another budget instead.");
    }
    if (name !== undefined && (await hasBudgetNamed(transaction, { ...before, name }, id))) {
      throw conflict("name", NAMED);
    }
    const amount = limit === undefined ? undefined : readAmount(limit, unit);
    const isRaised = amount !== undefined && amount > BigInt(before.limit_amount);
    return {
      ...(name !== undefined && { name }),
      ...(document !== undefined && { document: JSON.stringify(document) }),
      ...(amount !== undefined && { limit_amount: amount }),
      ...(isRaised && { paused_at: null }),
    };
  });

/** Stops all that counts for it until it is resumed. */
export const pauseBudget = (deed: Deed, id: string): Promise<StoredBudget> =>
  editBudget(deed, { id, action: "budgets.pause" }, ({ paused_at: pausedAt }) => ({
    paused_at: pausedAt ?? deed.now,
  }));

export const resumeBudget = (deed: Deed, id: string): Promise<StoredBudget> =>
  editBudget(deed, { id, action: "budgets.resume" }, () => ({ paused_at: null }));

/** Begins counting anew; what was used before stays in the records. */
export const resetBudget = (deed: Deed, id: string): Promise<StoredBudget> =>
  editBudget(deed, { id, action: "budgets.reset" }, () => ({
    reset_at: deed.now,
    paused_at: null,
  }));

/** Takes a budget out of force. */
export const archiveBudget = (
  deed: Deed,
  id: string,
  { expected }: Versioned = {},
): Promise<StoredBudget> =>
  editBudget(deed, { id, expected, action: "budgets.archive" }, () => ({ archived_at: deed.now }));

/** What is used of a budget in its present period, and what will be at its end if it goes on so. */
export async function usageOfBudget(deed: Deed, id: string): Promise<BudgetUsageView> {
  const row = await getBudget(deed, id);
  const organization = await findOrganization(deed.core, row.organization_id);
  const document = JSON.parse(row.document) as BudgetDocument;
  const budget = {
    id,
    name: row.name,
    document,
    limit: BigInt(row.limit_amount),
    pausedAt: row.paused_at,
    resetAt: row.reset_at,
  };
  const usage = await budgetUsage(deed, budget, {
    organizationId: row.organization_id,
    timeZone: organization?.time_zone ?? "UTC",
    now: deed.now,
  });
  const { unit } = document;
  const amounts = ({ used, held }: { readonly used: bigint; readonly held: bigint }) => ({
    used: amountText(used, unit),
    held: amountText(held, unit),
  });
  return {
    object: "budget_usage",
    budget_id: id,
    unit,
    limit: amountText(budget.limit, unit),
    ...amounts(usage),
    period_start: timeText(usage.periodStart),
    period_end: timeOrNull(usage.periodEnd),
    forecast: usage.forecast === undefined ? null : amountText(usage.forecast, unit),
    subjects: usage.subjects.map((subject) => ({ subject: subject.subject, ...amounts(subject) })),
  };
}
