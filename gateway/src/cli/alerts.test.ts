import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

test("channels are added, listed without what is secret, given another secret, and removed", async () => {
  cli.typed.text = "https://hooks.example.com/in?token=hidden\n";
  const added = await cli.run("alerts", "add", "--name", "ops", "--events", "key.leaked");
  expect(added).toMatch(/^alc_\w+ \(ops\) is told from now on\.\n.*whsec_/);
  const id = added.slice(0, added.indexOf(" "));
  const list = await cli.run("alerts", "list");
  expect(list).toMatch(new RegExp(`${id} +webhook +ops +https://hooks.example.com +key.leaked`));
  expect(list).not.toMatch(/hidden|whsec_/);
  expect(await cli.run("alerts", "rotate", id)).toMatch(/whsec_/);
  expect(await cli.run("alerts", "deliveries", id)).toBe("There are none.");
  expect(await cli.run("alerts", "remove", id)).toBe(`Removed ${id}.`);
  expect(await cli.run("alerts", "list")).toBe("There are none.");
});

test("mail needs addresses, a webhook its URL", async () => {
  const mail = ["alerts", "add", "--kind", "email", "--name", "mail"];
  expect(await cli.run(...mail, "--to", "a@example.com,b@example.com")).not.toContain("whsec_");
  expect(await cli.run("alerts", "list")).toContain("a@example.com b@example.com");
  expect(await cli.fails(...mail)).toContain("--to is needed");
  expect(await cli.fails(...mail, "--to", "nobody")).toContain("--to");
  expect(await cli.fails("alerts", "add", "--name", "x")).toContain("pipe the channel's URL");
  cli.typed.text = "ftp://x";
  expect(await cli.fails("alerts", "add", "--name", "x")).toContain("--url");
  expect(await cli.fails("alerts", "add", "--name", "x", "--kind", "fax")).toContain("--kind");
});
