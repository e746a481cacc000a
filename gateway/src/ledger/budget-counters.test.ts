import { describe, expect, test } from "vitest";

import { budgetCounters, limitOf, type Budget, type Spender } from "#ledger/budget-counters.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const DAY = Date.UTC(2026, 10, 29);

const budget = (
  document: Partial<Budget["document"]> = {},
  more: Partial<Budget> = {},
): Budget => ({
  id: "bud_1",
  name: "b",
  document: { unit: "usd", period: "day", mode: "hard", alertAtPercent: [], ...document },
  limit: 5n,
  pausedAt: null,
  resetAt: null,
  ...more,
});
const spender = (more: Partial<Spender> = {}): Spender => ({
  organizationId: "org_1",
  projectId: "proj_1",
  keyId: "key_1",
  timeZone: "UTC",
  now: NOW,
  tags: [],
  task: () => "coding",
  ...more,
});
const ids = (one: Budget, who: Spender, models = ["m-1", "n-1"]): string[] =>
  budgetCounters([one], who, models).map(({ key }) => key.id);

describe("budgetCounters", () => {
  test("one counter a period", () => {
    expect(ids(budget(), spender())).toEqual([`bud_1:${DAY}:`]);
    expect(ids(budget({ period: "lifetime" }), spender())).toEqual(["bud_1:0:"]);
  });

  test("a reset begins a new one", () => {
    expect(ids(budget({}, { resetAt: NOW - 5 }), spender())).toEqual([`bud_1:${NOW - 5}:`]);
    expect(ids(budget({}, { resetAt: DAY - 5 }), spender())).toEqual([`bud_1:${DAY}:`]);
  });

  test.each([
    ["end-user", { endUser: "u" }, ["u"]],
    ["end-user", {}, [""]],
    ["tag", { tags: ["a", "b", "a"] }, ["a", "b"]],
    ["tag", {}, [""]],
    ["task", {}, ["coding"]],
    ["task", { task: () => undefined }, ["unknown"]],
    ["project", {}, ["proj_1"]],
    ["key", {}, ["key_1"]],
    ["model", {}, ["m-1", "n-1"]],
  ] as const)("each %s is counted apart", (each, more, subjects) => {
    expect(ids(budget({ each }), spender(more))).toEqual(
      subjects.map((subject) => `bud_1:${DAY}:${subject}`),
    );
  });

  test.each([
    [{ endUsers: ["u"] }, { endUser: "u" }, true],
    [{ endUsers: ["u"] }, {}, false],
    [{ tags: ["a"] }, { tags: ["b", "a"] }, true],
    [{ tags: ["a"] }, { tags: ["b"] }, false],
    [{ tasks: ["coding"] }, {}, true],
    [{ tasks: ["other"] }, {}, false],
    [{ models: ["M-*"] }, {}, true],
    [{ models: ["x*"] }, {}, false],
  ])("%j of %j counts: %s", (match, more, counts) => {
    expect(ids(budget({ match }), spender(more as Partial<Spender>))).toHaveLength(counts ? 1 : 0);
  });

  test("callers' text cannot break a counter's name", () => {
    const [id] = ids(
      budget({ each: "end-user" }),
      spender({ endUser: `\0\ud800${"x".repeat(500)}` }),
    );
    expect(id).toBe(`bud_1:${DAY}:\ufffd${"x".repeat(198)}`);
  });
});

describe("limitOf", () => {
  const counterOf = (one: Budget) => budgetCounters([one], spender(), ["m-1", "n-1"])[0];

  test("a soft budget bounds nothing", () => {
    const counter = counterOf(budget({ mode: "soft" }));
    expect(counter && limitOf(counter, ["m-1"], "key_1")).toBeUndefined();
  });

  test("a budget of models bounds the routes of those", () => {
    const counter = counterOf(budget({ match: { models: ["n-*"] } }));
    expect(counter && limitOf(counter, ["m-1", "n-1", "n-1"], "key_1")).toMatchObject({
      lines: [1, 2],
    });
  });

  test("one that throttles has a slot a key, which no caller can name", () => {
    const counter = counterOf(budget({ mode: "throttle" }));
    const limit = counter && limitOf(counter, ["m-1"], "key_1");
    expect(limit?.slot?.id).toBe(`bud_1:${DAY}/slot:key_1`);
  });
});
