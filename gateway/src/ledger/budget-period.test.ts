import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { budgetPeriod, elapsedShare } from "#ledger/budget-period.ts";

const at = (text: string): number => Date.parse(text);
const written = (period: "day" | "week" | "month", zone: string, now: string): string[] => {
  const { start, end } = budgetPeriod(period, zone, at(now));
  return [start, end ?? 0].map((moment) => new Date(moment).toISOString());
};

describe("budgetPeriod", () => {
  test("days begin at midnight of the zone", () => {
    expect(written("day", "Asia/Tokyo", "2026-03-10T15:00:00Z")).toEqual([
      "2026-03-10T15:00:00.000Z",
      "2026-03-11T15:00:00.000Z",
    ]);
  });

  test("weeks begin on Monday, months on the first", () => {
    expect(written("week", "UTC", "2026-11-29T20:00:00Z")).toEqual([
      "2026-11-23T00:00:00.000Z",
      "2026-11-30T00:00:00.000Z",
    ]);
    expect(written("month", "UTC", "2026-12-31T23:59:59.999Z")).toEqual([
      "2026-12-01T00:00:00.000Z",
      "2027-01-01T00:00:00.000Z",
    ]);
  });

  test("a day on which clocks are set forward has 23 hours, one on which they are set back 25", () => {
    const [start = "", end = ""] = written("day", "Europe/Berlin", "2026-03-29T12:00:00Z");
    expect((at(end) - at(start)) / 3_600_000).toBe(23);
    const [from = "", to = ""] = written("day", "Europe/Berlin", "2026-10-25T12:00:00Z");
    expect((at(to) - at(from)) / 3_600_000).toBe(25);
  });

  test("where midnight does not exist the day begins with its first moment", () => {
    // In Beirut clocks go from 00:00 to 01:00 on the last Sunday of March.
    expect(written("day", "Asia/Beirut", "2026-03-29T12:00:00Z")[0]).toBe(
      "2026-03-28T22:00:00.000Z",
    );
  });

  test("a lifetime has no end", () => {
    expect(budgetPeriod("lifetime", "UTC", 5)).toEqual({ start: 0, end: null });
  });

  test("every moment lies in its period, and the next period begins where it ends", () => {
    const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"];
    fc.assert(
      fc.property(
        fc.constantFrom("day" as const, "week" as const, "month" as const),
        fc.constantFrom(...zones),
        fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") }),
        (period, zone, now) => {
          const { start, end } = budgetPeriod(period, zone, now);
          expect(start).toBeLessThanOrEqual(now);
          expect(end).toBeGreaterThan(now);
          expect(budgetPeriod(period, zone, end ?? 0).start).toBe(end);
        },
      ),
    );
  });
});

describe("elapsedShare", () => {
  test("is the share of the period that has passed", () => {
    expect(elapsedShare({ start: 0, end: 100 }, 25)).toBe(0.25);
    expect(elapsedShare({ start: 0, end: null }, 25)).toBeUndefined();
  });
});
