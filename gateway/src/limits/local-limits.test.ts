import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";

import type { Claim } from "#limits/claim.ts";
import { LocalLimits } from "#limits/local-limits.ts";

const START = 1_800_000_000_000;

let now: number;
let limits: LocalLimits;
beforeEach(() => {
  now = START;
  limits = new LocalLimits(() => now);
});

const claim = (kind: Claim["kind"], limit: number, amount = 1): Claim => ({
  key: kind,
  kind,
  limit,
  amount,
  level: "key",
  targetId: "key_1",
  source: "pol_1",
});

const admitted = (claims: readonly Claim[]): boolean => limits.take(claims).refused === undefined;

describe("LocalLimits", () => {
  test("admits exactly the limit, and again when it is a minute ago", () => {
    const requests = [claim("requests", 5)];
    expect(Array.from({ length: 9 }, () => admitted(requests)).filter(Boolean)).toHaveLength(5);
    const { standings, refused } = limits.take(requests);
    expect([refused, standings]).toEqual([0, [{ used: 5, waitMs: 61_000 }]]);
    now += 60_999;
    expect(admitted(requests)).toBe(false);
    now += 1;
    expect(admitted(requests)).toBe(true);
  });

  test("takes all or nothing", () => {
    const both = [claim("requests", 10), claim("tokens", 100, 60)];
    expect(admitted(both)).toBe(true);
    expect(limits.take(both)).toMatchObject({ refused: 1, standings: [{ used: 1 }, { used: 60 }] });
    expect(limits.take([claim("requests", 10)]).standings).toEqual([{ used: 1 }]);
  });

  test("says when so much of it is free as the request needs", () => {
    limits.take([claim("tokens", 100, 40)]);
    now += 10_000;
    limits.take([claim("tokens", 100, 50)]);
    now += 5_000;
    const waits = [20, 55, 100].map(
      (amount) => limits.take([claim("tokens", 100, amount)]).standings[0]?.waitMs,
    );
    expect(waits).toEqual([46_000, 56_000, 56_000]);
    expect(limits.take([claim("tokens", 100, 101)]).standings[0]).toEqual({ used: 90 });
  });

  test("corrects tokens to what was used, up and down", () => {
    const claims = [claim("tokens", 100, 80)];
    const second = Math.floor(now / 1000);
    expect(admitted(claims)).toBe(true);
    now += 3_000;
    limits.release({ claims, second }, 30);
    expect(limits.take([claim("tokens", 100, 71)]).standings).toEqual([
      { used: 30, waitMs: 58_000 },
    ]);
    expect(admitted([claim("tokens", 100, 70)])).toBe(true);
    limits.release({ claims: [claim("tokens", 100, 70)], second: second + 3 }, 170);
    expect(limits.take([claim("tokens", 100)]).standings[0]?.used).toBe(200);
  });

  test("what another limit refused counts for none", () => {
    const claims = [claim("requests", 1), claim("tokens", 100, 80), claim("concurrent", 1)];
    const second = Math.floor(now / 1000);
    expect(admitted(claims)).toBe(true);
    limits.release({ claims, second }, "refused");
    expect(limits.take(claims).standings).toEqual([{ used: 0 }, { used: 0 }, { used: 0 }]);
    limits.release({ claims, second }, 20);
    expect(limits.take(claims)).toMatchObject({
      refused: 0,
      standings: [{ used: 1 }, { used: 20 }, { used: 0 }],
    });
  });

  test("a correction that comes when the minute has passed changes nothing", () => {
    const claims = [claim("tokens", 100, 80)];
    limits.take(claims);
    const second = Math.floor(now / 1000);
    now += 120_000;
    limits.take([claim("tokens", 100, 10)]);
    limits.release({ claims, second }, 1);
    expect(limits.take([claim("tokens", 100, 91)]).standings[0]?.used).toBe(10);
  });

  test("places come back when requests end", () => {
    const places = [claim("concurrent", 2)];
    expect([admitted(places), admitted(places), admitted(places)]).toEqual([true, true, false]);
    limits.release({ claims: places, second: 0 }, 0);
    expect([admitted(places), admitted(places)]).toEqual([true, false]);
  });

  test("never more than the limit in any sixty seconds, whatever the times", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 10 }),
        (pauses, limit) => {
          let clock = START;
          const own = new LocalLimits(() => clock);
          const times: number[] = [];
          for (const pause of pauses) {
            clock += pause;
            if (own.take([claim("requests", limit)]).refused === undefined) times.push(clock);
          }
          for (const [at, time] of times.entries()) {
            const within = times.slice(at).filter((other) => other - time < 60_000);
            expect(within.length).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });

  test("who waits as long as told is admitted", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9_000), fc.integer({ min: 1, max: 50 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 50 }),
        (before, amount) => {
          let clock = START;
          const own = new LocalLimits(() => clock);
          for (const [pause, taken] of before) {
            clock += pause;
            own.take([claim("tokens", 50, taken)]);
          }
          const asked = [claim("tokens", 50, amount)];
          const { refused, standings } = own.take(asked);
          if (refused === undefined) return;
          clock += standings[0]?.waitMs ?? 0;
          expect(own.take(asked).refused).toBeUndefined();
        },
      ),
    );
  });
});
