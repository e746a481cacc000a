import fc from "fast-check";
import { expect, test } from "vitest";

import {
  NONE_FOLDED,
  periodAfter,
  periodOf,
  PERIODS,
  spansOf,
  type Folded,
} from "#store/rollup-periods.ts";

const DAY_MS = 86_400_000;

test("a month begins on its first day, a week on its Monday, in UTC", () => {
  const sunday = Date.UTC(2024, 1, 4, 23, 59);
  expect(periodOf("month", sunday)).toBe(Date.UTC(2024, 1, 1));
  expect(periodAfter("month", Date.UTC(2024, 1, 1))).toBe(Date.UTC(2024, 2, 1));
  expect(periodOf("week", sunday)).toBe(Date.UTC(2024, 0, 29));
  expect(periodAfter("week", Date.UTC(2024, 0, 29))).toBe(Date.UTC(2024, 1, 5));
  expect(periodOf("week", Date.UTC(2024, 1, 5))).toBe(Date.UTC(2024, 1, 5));
});

test("a time is told by whole months, then weeks, then days, each day once", () => {
  const first = Date.UTC(2023, 0, 1);
  const cases = fc.record({
    from: fc.integer({ min: 0, max: 500 }),
    days: fc.integer({ min: 1, max: 400 }),
    foldedDays: fc.integer({ min: 0, max: 900 }),
  });
  fc.assert(
    fc.property(cases, ({ from, days, foldedDays }) => {
      const range = { since: first + from * DAY_MS, until: first + (from + days) * DAY_MS };
      const folded = foldedBefore(first, first + foldedDays * DAY_MS);
      const spans = spansOf(range, folded);
      expect(spans[0]?.since).toBe(range.since);
      expect(spans.at(-1)?.until).toBe(range.until);
      for (const [at, span] of spans.entries()) {
        expect(span.since).toBeLessThan(span.until);
        if (at > 0) expect(span.since).toBe(spans[at - 1]?.until);
        const { grain } = span;
        if (grain === "day") expect(isLeft(span, folded)).toBe(true);
        else expect(periodsOf(span, grain).every((one) => folded[grain].includes(one))).toBe(true);
      }
    }),
  );
});

test("where nothing is summed up, all are days", () => {
  const range = { since: 0, until: 100 * DAY_MS };
  expect(spansOf(range, NONE_FOLDED)).toEqual([{ grain: "day", ...range }]);
});

function foldedBefore(first: number, until: number): Folded {
  const of = (period: (typeof PERIODS)[number]): number[] =>
    periodsOf({ since: periodOf(period, first), until }, period);
  return { month: of("month"), week: of("week") };
}

interface Range {
  readonly since: number;
  readonly until: number;
}

/** Those that end within a range which one of them begins. */
function periodsOf({ since, until }: Range, period: (typeof PERIODS)[number]): number[] {
  const all: number[] = [];
  for (let began = since; periodAfter(period, began) <= until; began = periodAfter(period, began)) {
    all.push(began);
  }
  return all;
}

/** No period that is summed up lies wholly in it. */
const isLeft = ({ since, until }: Range, folded: Folded): boolean =>
  PERIODS.every((period) =>
    folded[period].every((began) => began < since || periodAfter(period, began) > until),
  );
