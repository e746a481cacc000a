import type { AlertEvent } from "@turnpike/contract/alerts.ts";

import type { BudgetCounter } from "#ledger/budget-counters.ts";
import type { Counted } from "#ledger/commands.ts";
import type { CallMoney } from "#pipeline/call-money.ts";
import { amount } from "#pipeline/money-refused.ts";

/** The thresholds of budgets that a charge has passed. */
export const thresholdAlerts = (
  { counters, access }: CallMoney,
  counted: readonly Counted[],
): readonly AlertEvent[] =>
  counted.flatMap((one) => {
    const counter = counters.find(({ key }) => key.id === one.counterId);
    if (counter === undefined) return [];
    const { limit, document } = counter.budget;
    return document.alertAtPercent.flatMap((percent) => {
      const threshold = (limit * BigInt(percent) + 99n) / 100n;
      const isPassed = one.before < threshold && one.after >= threshold;
      return isPassed
        ? [alertOf(counter, { percent, used: one.after, organizationId: access.organization.id })]
        : [];
    });
  });

interface Passed {
  readonly percent: number;
  readonly used: bigint;
  readonly organizationId: string;
}

function alertOf(counter: BudgetCounter, { percent, used, organizationId }: Passed): AlertEvent {
  const { budget, key, unit } = counter;
  const { name, limit } = budget;
  const of = key.subject === "" ? "" : ` for ${JSON.stringify(key.subject)}`;
  return {
    kind: "budget.threshold",
    organizationId,
    once: `${key.id} ${percent}`,
    text: `The budget "${name}"${of} has passed ${percent} %: ${amount(used, unit)} of ${amount(limit, unit)} used.`,
    facts: {
      budgetId: budget.id,
      subject: key.subject,
      percent,
      unit,
      used: String(used),
      limit: String(limit),
      periodStart: key.periodStart,
      periodEnd: key.periodEnd,
    },
  };
}
