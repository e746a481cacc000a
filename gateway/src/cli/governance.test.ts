import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "#store/store.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

const json = async <Value>(...args: string[]): Promise<Value> =>
  JSON.parse(await cli.run(...args, "--json")) as Value;
interface Made {
  readonly id: string;
}

test("the walk of docs/tenancy.md: organization to key, bounded, exported and applied", async () => {
  const organization = await json<Made>(
    "organizations",
    "create",
    "--name",
    "Acme",
    "--slug",
    "acme",
  );
  const of = ["--organization", organization.id];
  const team = await json<Made>("teams", "create", ...of, "--name", "Search");
  const project = await json<Made>(
    "projects",
    "create",
    ...of,
    "--team",
    team.id,
    "--name",
    "Crawler",
  );
  await cli.run("budgets", "set", "--target", project.id, "--name", "monthly", "--limit", "100");
  writeFileSync(join(cli.folder, "policy.yaml"), 'maxRequestUsd: "0.50"\nnoTraining: true\n');
  await cli.run("policies", "set", project.id, "-f", "policy.yaml");
  const account = await json<Made>(
    "service-accounts",
    "create",
    ...of,
    "--name",
    "ci",
    "--role",
    "admin",
  );
  const admin = await cli.run(
    "admin-keys",
    "create",
    ...of,
    "--owner",
    account.id,
    "--name",
    "ci",
    "--scopes",
    "all",
  );
  expect(admin).toMatch(/^tp-adm-/);
  const invitation = await cli.run(
    "members",
    "invite",
    ...of,
    "--email",
    "ann@example.com",
    "--role",
    "developer",
  );
  expect(invitation).toContain("/invitation?token=");
  const key = await json<Made & { key: string }>(
    "keys",
    "create",
    "--project",
    project.id,
    "--name",
    "crawler",
    "--expires",
    "90d",
    "--models",
    "gpt-*, claude-*",
  );
  expect(await cli.run("policies", "explain", key.id)).toContain("maxRequestUsd");
  const text = await cli.run("export");
  expect(text).not.toContain(key.key);
  writeFileSync(join(cli.folder, "governance.yaml"), text);
  expect(await cli.run("apply", "-f", "governance.yaml")).toMatch(/^0 changes made/);
  writeFileSync(join(cli.folder, "governance.yaml"), text.replace('limit: "100"', "limit: 50"));
  const dry = await cli.run("apply", "-f", "governance.yaml", "--dry-run");
  expect(dry).toContain("~ organizations.acme.projects.Crawler.budgets.monthly (update)");
  expect(await cli.run("export")).toBe(text);
  expect(await cli.run("audit", "verify")).toMatch(/^Intact: \d+ entries/);
});

test("lists show one organization where one is named", async () => {
  const { id } = await json<Made>("organizations", "create", "--name", "Acme", "--slug", "acme");
  const made: Record<string, string> = {};
  for (const [at, organization] of [id, "org_default"].entries()) {
    const of = ["--organization", organization, "--name", `name ${at}`];
    const project = await json<Made>("projects", "create", ...of);
    made[organization] = project.id;
    await cli.run("teams", "create", ...of);
    await cli.run("service-accounts", "create", ...of, "--role", "viewer");
    await cli.run("budgets", "set", "--target", project.id, "--limit", "1");
    await cli.run("keys", "create", "--project", project.id, "--name", `name ${at}`);
  }
  for (const list of ["teams", "projects", "service-accounts", "members", "budgets", "keys"]) {
    const all = await json<object[]>(list, "list");
    const own = await json<object[]>(list, "list", "--organization", id);
    const other = await json<object[]>(list, "list", "--organization", "org_default");
    expect(own.length + other.length, list).toBe(all.length);
    expect(own, list).toHaveLength(1);
    expect(JSON.stringify(own), list).toMatch(new RegExp(`${id}|${made[id]}`));
    expect(await cli.fails(list, "list", "--organization", "org_none"), list).toContain(
      "There is no such organization",
    );
  }
  expect(await json("credentials", "list", "--organization", id)).toEqual([]);
  const entries = (await cli.run("audit", "export", "--organization", id)).split("\n");
  expect(entries.length).toBeGreaterThan(3);
  for (const entry of entries) expect(JSON.parse(entry)).toMatchObject({ organization_id: id });
});

test.each([
  ["teams", "create"],
  ["projects", "create"],
  ["service-accounts", "create", "--role", "viewer"],
  ["keys", "create"],
])("a name that a terminal would obey is refused by %s %s", async (...command) => {
  const said = await cli.fails(...command, "--name", "a\u001b[31mb");
  expect(said).toMatch(/--name must not have line ends, control characters/);
});

test("a target that is none is told under the option's name", async () => {
  const said = await cli.fails("budgets", "set", "--target", "proj", "--limit", "1");
  expect(said).toContain("--target must be");
});

test("a file that is wrong is refused with line and path", async () => {
  const file = join(cli.folder, "wrong.yaml");
  writeFileSync(file, "version: 1\norganizations:\n  acme:\n    name: Acme\n    plann: free\n");
  expect(await cli.fails("apply", "-f", "wrong.yaml")).toMatch(
    /wrong\.yaml:5: organizations\.acme\.plann: .*Did you mean plan\?/,
  );
  const text = readFileSync(file, "utf8").replace("plann: free", "projects: {p: {team: nobody}}");
  writeFileSync(file, text);
  expect(await cli.fails("apply", "-f", "wrong.yaml")).toMatch(
    /wrong\.yaml:5: organizations\.acme\.projects\.p\.team: There is no team "nobody"/,
  );
});

test("keys are rotated, disabled and put back, and the audit log tells of it", async () => {
  await cli.run("keys", "create", "--name", "ci");
  expect(await cli.run("keys", "rotate", "ci", "--overlap", "60")).toMatch(/^sk-tp-/);
  await cli.run("keys", "disable", "ci");
  await cli.run("keys", "enable", "ci");
  await cli.run("keys", "revoke", "ci");
  const actions = (await cli.run("audit", "export", "--action", "keys."))
    .split("\n")
    .map((line) => (JSON.parse(line) as { action: string }).action);
  expect(actions).toEqual([
    "keys.revoke",
    "keys.enable",
    "keys.disable",
    "keys.rotate",
    "keys.create",
  ]);
});

test("audit verify fails and names the entry that was changed", async () => {
  await cli.run("teams", "create", "--name", "a");
  await cli.run("teams", "create", "--name", "b");
  const store = await openStore({ home: join(cli.folder, "data") });
  const { sql } = await import("kysely");
  await sql.raw("DROP TRIGGER audit_entries_no_update").execute(store.core);
  await store.core
    .updateTable("audit_entries")
    .set({ ip: "1.2.3.4" })
    .where("seq", "=", 1)
    .execute();
  await store.close();
  expect(await cli.fails("audit", "verify")).toMatch(/broken at entry 1 \(aud_/);
});
