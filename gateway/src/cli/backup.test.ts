import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";

import { makeDatabase } from "#test/databases.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

describe("turnpike backup and restore", () => {
  test("bring a lost data folder back, keys included", async () => {
    await cli.run("keys", "create", "--name", "of-then");
    const out = await cli.run("backup", "copy", "--with-key");
    expect(out).toContain("turnpike.db, records.db, master.key");
    rmSync(join(cli.folder, "data"), { recursive: true });
    expect(await cli.run("restore", "copy")).toMatch(/^Restored the backup of 20/);
    expect(await cli.run("keys", "list")).toContain("of-then");
    expect(existsSync(join(cli.folder, "data", "master.key"))).toBe(true);
  });

  test("what a backup holds is its owner's alone, also in a folder that was open to others", async () => {
    const folder = join(cli.folder, "copy");
    mkdirSync(folder, { mode: 0o755 });
    await cli.run("keys", "create", "--name", "x");
    await cli.run("backup", "copy", "--with-key");
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    }
  });

  test("without the master key both say that it has to be kept and brought", async () => {
    await cli.run("keys", "create", "--name", "x");
    expect(await cli.run("backup", "copy")).toContain("The master key is not in it");
    rmSync(join(cli.folder, "data"), { recursive: true });
    expect(await cli.run("restore", "copy")).toContain("There is no master key here");
  });

  test("what is no backup is refused in words", async () => {
    expect(await cli.fails("restore", "nowhere")).toContain("no complete backup");
    expect(await cli.fails("backup")).toContain("say which folder");
    expect(await cli.fails("backup", "copy", "--with-key")).toContain("TURNPIKE_MASTER_KEY");
  });
});

describe("turnpike migrate", () => {
  test.skipIf(inject("postgresUrl") === "")(
    "makes the schema of an empty Postgres database, which commands refuse before",
    async () => {
      const server = inject("postgresUrl");
      const database = await makeDatabase("postgres", { migrated: false });
      cli.io.env["TURNPIKE_DATABASE_URL"] = database.url;
      expect(await cli.fails("keys", "list")).toContain("Run `turnpike migrate` once");
      expect(await cli.run("migrate")).toMatch(/^Did \d+ steps/);
      expect(await cli.run("migrate")).toBe("The database is up to date.");
      expect(await cli.run("keys", "list")).toContain("There are no keys yet");
      await database.remove();
      cli.io.env["TURNPIKE_DATABASE_URL"] = server.replace(/:\d+\//, ":1/");
      expect(await cli.fails("keys", "list")).toMatch(/Postgres database cannot be used/);
    },
  );
});
