import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { newPerson } from "#governance/people.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { openStore } from "#store/store.ts";
import { insertUser } from "#store/users.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

test("`turnpike users reset-password` prints a link, for people that there are", async () => {
  await cli.run("keys", "create", "--name", "first");
  expect(await cli.fails("users", "reset-password", "ada@example.org")).toContain("no such person");
  const store = await openStore({ home: join(cli.folder, "data") });
  await changeDirectory(store.core, (transaction, version) =>
    insertUser(transaction, newPerson({ email: "ada@example.org", name: "Ada", now: 1, version })),
  );
  await store.close();
  const link = /^\/password-reset\?token=user_\w+\.\d+\.[\w-]{43}\n/;
  expect(await cli.run("users", "reset-password", "Ada@example.org")).toMatch(link);
  expect(await cli.fails("users", "reset-password", "no address")).toContain("e-mail address");
});
