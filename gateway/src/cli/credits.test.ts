import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

test("credits are given once a key, corrected, shown and listed", async () => {
  const grant = ["credits", "grant", "--amount", "12.50", "--memo", "pilot", "--key", "k1"];
  expect(await cli.run(...grant)).toBe("12.5 USD granted.");
  expect(await cli.run(...grant)).toContain("nothing is booked twice");
  await cli.run("credits", "adjust", "--amount", "2", "--direction", "down", "--memo", "typo");
  expect(await cli.run("credits", "show")).toBe(
    "org_default (enterprise): 10.5 USD, 0 USD of it held",
  );
  const ledger = JSON.parse(await cli.run("credits", "ledger", "--json")) as { kind: string }[];
  expect(ledger.map(({ kind }) => kind)).toEqual(["adjustment", "grant"]);
  const audit = await cli.run("audit", "export");
  expect(audit.match(/credits\.grant/g)).toHaveLength(1);
});

test("what cannot be booked is told in words", async () => {
  expect(await cli.fails("credits", "grant", "--amount", "-1")).toContain("--amount");
  expect(await cli.fails("credits", "grant")).toContain("--amount is needed");
  expect(await cli.fails("credits", "adjust", "--amount", "1")).toContain("--direction");
  expect(await cli.fails("credits", "refund", "req_none")).toContain("Nothing was charged");
  expect(await cli.fails("credits", "show", "--organization", "org_none")).toContain(
    "organization",
  );
});

test("the use of a budget is told", async () => {
  await cli.run("budgets", "set", "--target", "proj_default", "--name", "m", "--limit", "10");
  const [budget] = JSON.parse(await cli.run("budgets", "list", "--json")) as { id: string }[];
  expect(await cli.run("budgets", "usage", budget?.id ?? "")).toMatch(
    /^0 of 10 usd used, 0 held \(until \d{4}-/,
  );
});
