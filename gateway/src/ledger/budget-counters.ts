import type { BudgetDocument } from "@turnpike/contract/governance.ts";

import { budgetPeriod } from "#ledger/budget-period.ts";
import type { CounterKey, CounterLimit, CounterUnit } from "#ledger/commands.ts";
import { globPattern } from "#lib/glob.ts";

/** A budget as it is in force; see `governance/access.ts`. */
export interface Budget {
  readonly id: string;
  readonly name: string;
  readonly document: BudgetDocument;
  /** Nano-USD or tokens, as the document says. */
  readonly limit: bigint;
  readonly pausedAt: number | null;
  readonly resetAt: number | null;
}

/** What of a request decides which budgets it counts for. */
export interface Spender {
  readonly organizationId: string;
  readonly projectId: string;
  readonly keyId: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly endUser?: string | undefined;
  readonly tags: readonly string[];
  /** Asked for only where a budget is about tasks. */
  readonly task: () => string | undefined;
}

/** A budget's counter for a request: whatever answers it, or only where certain models do. */
export interface BudgetCounter {
  readonly budget: Budget;
  readonly key: CounterKey;
  readonly unit: CounterUnit;
  /** Of the routes: it counts where one of these models answers; absent: always. */
  readonly models?: ReadonlySet<string>;
}

const MAX_SUBJECT = 200;

/**
 * The counters that a request may count for. `models` are those of its routes: which of them will
 * answer is not known yet, so a budget by model has a counter for each that it may be.
 */
export function budgetCounters(
  budgets: readonly Budget[],
  spender: Spender,
  models: readonly string[],
): readonly BudgetCounter[] {
  return budgets.flatMap((budget) => {
    if (!matches(budget, spender)) return [];
    const matched = matchingModels(budget, models);
    if (matched?.size === 0) return [];
    if (budget.document.each === "model") {
      return [...(matched ?? new Set(models))].map((model) =>
        counterOf(budget, spender, { subject: model, models: new Set([model]) }),
      );
    }
    return subjectsOf(budget, spender).map((subject) =>
      counterOf(budget, spender, { subject, ...(matched !== undefined && { models: matched }) }),
    );
  });
}

function matches({ document }: Budget, { endUser, tags, task }: Spender): boolean {
  const { match } = document;
  if (match === undefined) return true;
  const { endUsers, tags: wanted, tasks } = match;
  if (endUsers !== undefined && (endUser === undefined || !endUsers.includes(endUser)))
    return false;
  if (wanted !== undefined && !wanted.some((tag) => tags.includes(tag))) return false;
  return tasks === undefined || tasks.includes(task() ?? "unknown");
}

/** `undefined`: the budget is not about models. */
function matchingModels(
  { document }: Budget,
  models: readonly string[],
): ReadonlySet<string> | undefined {
  const globs = document.match?.models;
  if (globs === undefined) return undefined;
  const patterns = globs.map(globPattern);
  return new Set(models.filter((model) => patterns.some((pattern) => pattern.test(model))));
}

/** Whose counters they are; one for all where a budget is not counted apart. */
function subjectsOf({ document }: Budget, spender: Spender): readonly string[] {
  switch (document.each) {
    case "end-user":
      return [spender.endUser ?? ""];
    case "tag":
      return spender.tags.length === 0 ? [""] : [...new Set(spender.tags)];
    case "task":
      return [spender.task() ?? "unknown"];
    case "project":
      return [spender.projectId];
    case "key":
      return [spender.keyId];
    case "model":
    case undefined:
      return [""];
  }
}

function counterOf(
  budget: Budget,
  spender: Spender,
  { subject, models }: { readonly subject: string; readonly models?: ReadonlySet<string> },
): BudgetCounter {
  return {
    budget,
    key: counterKey(budget, spender, subject),
    unit: budget.document.unit,
    ...(models !== undefined && { models }),
  };
}

/** A budget that was reset counts anew from that moment, in a counter of its own. */
export function counterKey(
  { id: budgetId, document, resetAt }: Budget,
  { organizationId, timeZone, now }: Pick<Spender, "organizationId" | "timeZone" | "now">,
  subject: string,
): CounterKey {
  const period = budgetPeriod(document.period, timeZone, now);
  const periodStart = Math.max(period.start, resetAt ?? 0);
  const clean = cleanSubject(subject);
  return {
    id: `${budgetId}:${periodStart}:${clean}`,
    budgetId,
    organizationId,
    subject: clean,
    periodStart,
    periodEnd: period.end,
  };
}

/** Callers' text: no longer than it needs to be, and without what one of the databases refuses. */
const cleanSubject = (subject: string): string =>
  subject.slice(0, MAX_SUBJECT).toWellFormed().replaceAll("\0", "");

/** A counter as a bound of a request, whose routes are lines in their order; soft budgets bound nothing. */
export function limitOf(
  { budget, key, unit, models }: BudgetCounter,
  lineModels: readonly string[],
  keyId: string,
): CounterLimit | undefined {
  const { mode } = budget.document;
  if (mode === "soft") return undefined;
  const lines =
    models === undefined
      ? undefined
      : lineModels.flatMap((model, at) => (models.has(model) ? [at] : []));
  return {
    ...key,
    unit,
    limit: budget.limit,
    ...(lines !== undefined && { lines }),
    ...(mode === "throttle" && { slot: slotOf(key, keyId) }),
  };
}

/**
 * Beyond a limit that slows down each key has one request at a time. Its id is none that a subject,
 * which may be a caller's text, could lead to.
 */
const slotOf = (key: CounterKey, keyId: string): CounterKey => ({
  ...key,
  id: `${key.budgetId}:${key.periodStart}/slot:${keyId}`,
  subject: `${SLOT}${keyId}`,
});

/** Marks counters that count requests under way instead of what was used. */
export const SLOT = "(slot) ";
