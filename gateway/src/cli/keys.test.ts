import { statSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

interface Made {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}
const make = async (name: string): Promise<Made> =>
  JSON.parse(await cli.run("keys", "create", "--name", name, "--json")) as Made;

test("a key is made, listed without itself, and revoked by name", async () => {
  const { id, key } = await make("laptop");
  expect(key).toMatch(/^sk-tp-[\w-]{43}/);
  const list = await cli.run("keys", "list");
  expect(list).toContain(id);
  expect(list).toContain("active");
  expect(list).not.toContain(key);
  expect(await cli.run("keys", "list", "--json")).not.toContain("digest");
  expect(await cli.run("keys", "revoke", "laptop")).toBe("Revoked 1 key.");
  expect(await cli.run("keys", "list")).toContain("revoked");
});

test("two keys never have the same name, so that revoking stops one", async () => {
  expect((await make("ci")).name).toBe("ci");
  expect((await make("ci")).name).toBe("ci 2");
  expect(await cli.run("keys", "revoke", "ci")).toBe("Revoked 1 key.");
});

test("revoking what is not there fails", async () => {
  expect(await cli.fails("keys", "revoke", "nobody")).toMatch(/no active key "nobody"/);
});

test("the data folder is for its owner alone", async () => {
  await make("a");
  expect(statSync(join(cli.folder, "data")).mode & 0o777).toBe(0o700);
});

test("under a master key that is missing no key is made: the gateway would not know it", async () => {
  cli.io.env["TURNPIKE_MASTER_KEY"] = "0123456789abcdef0123456789abcdef";
  await make("a");
  delete cli.io.env["TURNPIKE_MASTER_KEY"];
  expect(await cli.fails("keys", "create")).toMatch(/TURNPIKE_MASTER_KEY that is not set now/);
});

test("a key without a name is refused: it could not be told from others", async () => {
  for (const name of ["", "  ", "x".repeat(201)]) {
    expect(await cli.fails("keys", "create", `--name=${name}`)).toMatch(
      /--name (?:is needed|must have at most 200)/,
    );
  }
});
