/** When a budget's counting began and ends; Unix milliseconds. `end: null`: never. */
export interface BudgetPeriod {
  readonly start: number;
  readonly end: number | null;
}

export type PeriodName = "day" | "week" | "month" | "lifetime";

const HOUR_MS = 3_600_000;
/** Shifts of clocks are no longer than this, and no zone is farther from UTC. */
const MAX_SHIFT_MS = 26 * HOUR_MS;

/**
 * The period that a moment lies in, aligned to the calendar of a time zone: days from midnight, weeks
 * from Monday (ISO 8601), months from the first. Where midnight does not exist, since clocks are set
 * forward over it, the day begins with its first moment.
 */
export function budgetPeriod(period: PeriodName, timeZone: string, now: number): BudgetPeriod {
  if (period === "lifetime") return { start: 0, end: null };
  const cached = cache.get(`${period} ${timeZone}`);
  if (cached !== undefined && now >= cached.start && now < cached.end) return cached;
  const local = localTime(timeZone, now);
  const { year, month, day } = local;
  // Calendar dates are reckoned in UTC, which has no shifts; only their beginnings are looked up.
  const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  const dates: Readonly<Record<Exclude<PeriodName, "lifetime">, readonly [number, number]>> = {
    day: [Date.UTC(year, month - 1, day), Date.UTC(year, month - 1, day + 1)],
    week: [Date.UTC(year, month - 1, day - weekday), Date.UTC(year, month - 1, day - weekday + 7)],
    month: [Date.UTC(year, month - 1, 1), Date.UTC(year, month, 1)],
  };
  const [first, next] = dates[period];
  const found = { start: beginningOf(timeZone, first), end: beginningOf(timeZone, next) };
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(`${period} ${timeZone}`, found);
  return found;
}

/** Requests ask for the same few periods all day. */
const cache = new Map<string, { readonly start: number; readonly end: number }>();
const MAX_CACHED = 1_000;

/** The first moment at which the clocks of a zone show a date; `date` is its midnight as if in UTC. */
function beginningOf(timeZone: string, date: number): number {
  let low = date - MAX_SHIFT_MS;
  let high = date + MAX_SHIFT_MS;
  // Clocks that are set back over midnight do not bring the old date back, as far as this search looks.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (dateOf(timeZone, middle) >= date) high = middle;
    else low = middle;
  }
  return high;
}

const dateOf = (timeZone: string, moment: number): number => {
  const { year, month, day } = localTime(timeZone, moment);
  return Date.UTC(year, month - 1, day);
};

interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localTime(timeZone: string, moment: number): LocalDate {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      year: "numeric",
      month: "numeric",
      day: "numeric",
    });
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(
    format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
  );
  return { year: parts["year"] ?? 0, month: parts["month"] ?? 0, day: parts["day"] ?? 0 };
}

/** Share of a period that has passed, for forecasts: 0 … 1; a lifetime has none. */
export function elapsedShare({ start, end }: BudgetPeriod, now: number): number | undefined {
  if (end === null) return undefined;
  return Math.min(1, Math.max(0, (now - start) / (end - start)));
}
