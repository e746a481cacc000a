import { counterKey, SLOT, type Budget } from "#ledger/budget-counters.ts";
import { elapsedShare } from "#ledger/budget-period.ts";
import { countersOf } from "#store/ledger-reads.ts";
import type { Store } from "#store/store.ts";

/** What is used of a budget in its present period. Nano-USD or tokens, as it counts. */
export interface BudgetUsage {
  readonly periodStart: number;
  /** `null`: a lifetime. */
  readonly periodEnd: number | null;
  readonly used: bigint;
  readonly held: bigint;
  /** At the end of the period, if it goes on as so far; absent: too early to say, or no end. */
  readonly forecast?: bigint;
  /** Where it counts each apart: the most used first; else one. */
  readonly subjects: readonly {
    readonly subject: string;
    readonly used: bigint;
    readonly held: bigint;
  }[];
}

export interface UsageOptions {
  readonly organizationId: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly limit?: number;
}

const MAX_SUBJECTS = 100;
/** Before this share of a period has passed a forecast is a guess. */
const LEAST_SHARE = 0.02;

export async function budgetUsage(
  store: Pick<Store, "core">,
  budget: Budget,
  options: UsageOptions,
): Promise<BudgetUsage> {
  const { periodStart, periodEnd } = counterKey(budget, options, "");
  const limit = options.limit ?? MAX_SUBJECTS;
  const rows = await countersOf(store.core, { budgetId: budget.id, periodStart, limit });
  const subjects = rows
    .filter(({ subject }) => !subject.startsWith(SLOT))
    .map(({ subject, used, pending }) => ({
      subject,
      used: BigInt(used),
      held: BigInt(pending),
    }));
  const sum = (of: "used" | "held"): bigint =>
    subjects.reduce((total, subject) => total + subject[of], 0n);
  const used = sum("used");
  const forecast = forecastOf(used, { start: periodStart, end: periodEnd }, options.now);
  return {
    periodStart,
    periodEnd,
    used,
    held: sum("held"),
    subjects,
    ...(forecast !== undefined && { forecast }),
  };
}

/** Linear: by the share of the period that has passed. */
export function forecastOf(
  used: bigint,
  period: { readonly start: number; readonly end: number | null },
  now: number,
): bigint | undefined {
  const share = elapsedShare(period, now);
  if (share === undefined || share < LEAST_SHARE) return undefined;
  return (used * 1_000_000n) / BigInt(Math.round(share * 1_000_000));
}
