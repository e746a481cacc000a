import { sql, type Kysely } from "kysely";

import type { RecordTables } from "#store/schema.ts";

/** What days are summed up to once they have ended, the longest first. */
export const PERIODS = ["month", "week"] as const;
export type Period = (typeof PERIODS)[number];

/** When those periods began that are summed up, Unix milliseconds, the earliest first. */
export type Folded = Readonly<Record<Period, readonly number[]>>;

export const NONE_FOLDED: Folded = { month: [], week: [] };

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Unix time began on a Thursday; weeks begin on Mondays. */
const FIRST_MONDAY = 4 * DAY_MS;

/** When the period of a moment began, in UTC. */
export function periodOf(period: Period, time: number): number {
  if (period === "week") return time - ((time - FIRST_MONDAY) % WEEK_MS);
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** When the period after one begins. */
export function periodAfter(period: Period, began: number): number {
  if (period === "week") return began + WEEK_MS;
  const date = new Date(began);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Which periods are summed up. */
export async function listFolded(records: Kysely<RecordTables>): Promise<Folded> {
  const { rows } = await sql<{ period: Period; began: number }>`
    select 'month' as period, month as began from rollup_months
    union all select 'week', week from rollup_weeks order by began`.execute(records);
  const of = (wanted: Period) =>
    rows.filter(({ period }) => period === wanted).map(({ began }) => began);
  return { month: of("month"), week: of("week") };
}

/** Days, or periods in a row. */
export interface Span {
  readonly grain: "day" | Period;
  readonly since: number;
  readonly until: number;
}

/**
 * A time as the fewest rows tell it: whole months that are summed up, then whole weeks between those,
 * and the days that are left.
 */
export function spansOf(
  { since, until }: Pick<Span, "since" | "until">,
  folded: Folded,
  periods: readonly Period[] = PERIODS,
): readonly Span[] {
  if (since >= until) return [];
  const [period, ...shorter] = periods;
  if (period === undefined) return [{ grain: "day", since, until }];
  const spans: Span[] = [];
  let at = since;
  for (const began of folded[period]) {
    const end = periodAfter(period, began);
    if (began < at || end > until) continue;
    spans.push(...spansOf({ since: at, until: began }, folded, shorter));
    // Periods in a row are one span.
    const last = began === at && spans.at(-1)?.grain === period ? spans.pop() : undefined;
    spans.push({ grain: period, since: last?.since ?? began, until: end });
    at = end;
  }
  return [...spans, ...spansOf({ since: at, until }, folded, shorter)];
}
