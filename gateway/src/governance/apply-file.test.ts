import fc from "fast-check";
import { governanceFileSchema, type GovernanceFile } from "@turnpike/contract/governance-file.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { OPERATOR } from "#governance/actor.ts";
import { applyGovernance } from "#governance/apply-file.ts";
import { FileFault } from "#governance/applying.ts";
import { createKey } from "#governance/create-key.ts";
import type { Deed } from "#governance/deed.ts";
import { exportGovernance } from "#governance/export-file.ts";
import { getKey } from "#governance/keys.ts";
import { canonicalJson } from "#lib/canonical-json.ts";
import { verifyAudit } from "#governance/verify-audit.ts";
import { directoryVersion } from "#store/directory-version.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

const names = fc.constantFrom("search", "chat", "batch", "data", "ops");
const policy = fc.record(
  {
    models: fc.record({
      deny: fc.array(fc.constantFrom("gpt-*", "o3", "claude-*"), { maxLength: 3 }),
    }),
    maxTokens: fc.integer({ min: 1, max: 100_000 }),
    zeroRetention: fc.boolean(),
    maxRequestUsd: fc.constantFrom("0.5", "12.000000001", 3),
    limits: fc.record({ requestsPerMinute: fc.integer({ min: 0, max: 1_000 }) }),
    tasks: fc.dictionary(names, fc.constantFrom("a/b", "c")),
  },
  { requiredKeys: [] },
);
const budget = fc.record({
  limit: fc.constantFrom("0.000000001", "12.5", 3, 100),
  unit: fc.constant("usd" as const),
  period: fc.constantFrom("day" as const, "month" as const, "lifetime" as const),
  mode: fc.constantFrom("hard" as const, "soft" as const),
});
const bounds = {
  policy: fc.option(policy, { nil: undefined }),
  budgets: fc.dictionary(names, budget, { maxKeys: 2 }),
};
const organization = fc
  .record({
    name: fc.constantFrom("One", "Two"),
    plan: fc.constantFrom("free" as const, "enterprise" as const),
    timeZone: fc.constantFrom("UTC", "Europe/Berlin"),
    settings: fc.constantFrom(
      { contentLogAllowed: true },
      { contentLogAllowed: false, recordDays: 9 },
    ),
    ...bounds,
    priceOverrides: fc.uniqueArray(
      fc.record({
        models: fc.constantFrom(["*"], ["gpt-*"], ["claude-*", "o3"], ["gpt-5"]),
        markupPercent: fc.integer({ min: 0, max: 50 }),
      }),
      { maxLength: 3, selector: ({ models }) => models.join() },
    ),
    teams: fc.dictionary(names, fc.record(bounds), { maxKeys: 3 }),
    projects: fc.dictionary(
      names,
      fc.record({ team: fc.option(names, { nil: undefined }), ...bounds }),
      { maxKeys: 3 },
    ),
  })
  .map((entry) => ({
    ...entry,
    projects: Object.fromEntries(
      Object.entries(entry.projects).map(([name, { team, ...project }]) => [
        name,
        { ...project, ...(team !== undefined && team in entry.teams && { team }) },
      ]),
    ),
  }));
const files: fc.Arbitrary<GovernanceFile> = fc
  .dictionary(fc.constantFrom("acme", "globex"), organization, { maxKeys: 2 })
  .map((organizations) =>
    governanceFileSchema.parse(JSON.parse(JSON.stringify({ version: 1, organizations }))),
  );

describeOnEach("apply and export", (make) => {
  let database: TestDatabase;
  let store: Store;
  let deed: Deed;
  beforeAll(async () => {
    database = await make();
    store = await database.open();
  });
  afterAll(async () => {
    await store.close();
    await database.remove();
  });
  beforeEach(() => {
    deed = { core: store.core, actor: OPERATOR, now: Date.now(), ip: null, requestId: null };
  });
  const apply = (file: GovernanceFile, options: { dryRun?: boolean; prune?: boolean } = {}) =>
    applyGovernance(deed, file, { dryRun: false, prune: false, ...options });
  const changes = (plan: Awaited<ReturnType<typeof apply>>): object[] =>
    plan.filter(({ action }) => action !== "unchanged");

  test("whatever a file says, doing it twice changes nothing, nor does what is exported then", async () => {
    await fc.assert(
      fc.asyncProperty(files, async (file) => {
        const dry = await apply(file, { dryRun: true, prune: true });
        const done = await apply(file, { prune: true });
        expect(done.map(({ action, path }) => [action, path.length])).toEqual(
          dry.map(({ action, path }) => [action, path.length]),
        );
        expect(changes(await apply(file, { prune: true }))).toEqual([]);
        const exported = await exportGovernance(deed);
        const again = governanceFileSchema.parse(JSON.parse(JSON.stringify(exported)));
        expect(changes(await apply(again, { prune: true }))).toEqual([]);
        for (const [slug, entry] of Object.entries(file.organizations)) {
          expect(exported.organizations[slug]).toMatchObject({
            name: entry.name,
            plan: entry.plan,
            timeZone: entry.timeZone,
          });
          const { teams = {} } = exported.organizations[slug] ?? {};
          expect(new Set(Object.keys(teams))).toEqual(new Set(Object.keys(entry.teams ?? {})));
        }
      }),
      { numRuns: 15 },
    );
    expect(await verifyAudit(store.core)).toMatchObject({ intact: true });
  });

  test("a dry run and a file that fails leave nothing behind", async () => {
    const before = await directoryVersion(store.core);
    const file = governanceFileSchema.parse({
      version: 1,
      organizations: {
        initech: {
          name: "Initech",
          timeZone: "UTC",
          teams: { a: {} },
          projects: { p: { team: "b" } },
        },
      },
    });
    const failed = await apply(file).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(FileFault);
    expect((failed as FileFault).path).toEqual([
      "organizations",
      "initech",
      "projects",
      "p",
      "team",
    ]);
    const { initech: _, ...rest } = file.organizations;
    await apply({ ...file, organizations: { ...rest } }, { dryRun: true });
    expect(await directoryVersion(store.core)).toBe(before);
    expect((await exportGovernance(deed)).organizations["initech"]).toBeUndefined();
  });

  test("what is renamed keeps its id, its team and what is attached to it, once", async () => {
    const at = (organizations: object) =>
      governanceFileSchema.parse({ version: 1, organizations: structuredClone(organizations) });
    const budgets = { all: { limit: "5", unit: "usd", period: "day" } };
    const umbrella = { name: "Umbrella", timeZone: "UTC" };
    const teams = { bio: { budgets } };
    await apply(at({ umbrella: { ...umbrella, teams, projects: { p: { team: "bio" } } } }));
    const rowsOf = async (table: "teams" | "projects") =>
      store.core
        .selectFrom(table)
        .select(["id", "name"])
        .where("archived_at", "is", null)
        .execute();
    const before = { teams: await rowsOf("teams"), projects: await rowsOf("projects") };
    const renamed = at({
      "umbrella-two": {
        ...umbrella,
        renamedFrom: "umbrella",
        teams: { health: { renamedFrom: "bio", budgets } },
        projects: { q: { renamedFrom: "p", team: "health" } },
      },
    });
    const done = changes(await apply(renamed, { prune: true }));
    expect(done.map((entry) => (entry as { action: string }).action)).toEqual(
      Array.from({ length: 3 }, () => "update"),
    );
    const idOf = (rows: typeof before.teams, name: string) =>
      rows.find((row) => row.name === name)?.id;
    expect(idOf(await rowsOf("teams"), "health")).toBe(idOf(before.teams, "bio"));
    expect(idOf(await rowsOf("projects"), "q")).toBe(idOf(before.projects, "p"));
    expect(changes(await apply(renamed, { prune: true }))).toEqual([]);
    const { umbrella: gone, "umbrella-two": two } = (await exportGovernance(deed)).organizations;
    expect(gone).toBeUndefined();
    expect(two?.teams?.["health"]?.budgets).toMatchObject(budgets);
    const both = at({
      "umbrella-two": { ...umbrella, teams: { a: { renamedFrom: "health" }, health: {} } },
    });
    await expect(apply(both)).rejects.toThrow(/is in the file still/);
  });

  const priced = (...priceOverrides: object[]): GovernanceFile =>
    governanceFileSchema.parse({
      version: 1,
      organizations: { wonka: { name: "Wonka", timeZone: "UTC", priceOverrides } },
    });
  const all = (markupPercent: number) => ({ markupPercent });
  const claude = { models: ["claude-*"], markupPercent: 5 };
  const pricesOf = async () =>
    (await exportGovernance(deed)).organizations["wonka"]?.priceOverrides?.map(canonicalJson);

  test("prices of a file are a set: their order is nothing, and another price is no second override", async () => {
    await apply(priced(all(10), claude));
    expect(changes(await apply(priced(claude, all(10)), { prune: true }))).toEqual([]);
    const path = ["organizations", "wonka", "priceOverrides", "1"];
    expect(changes(await apply(priced(claude, all(20))))).toEqual([{ path, action: "update" }]);
    expect(new Set(await pricesOf())).toEqual(new Set([claude, all(20)].map(canonicalJson)));
    // What stands in the way of another one goes first.
    const narrower = { models: ["CLAUDE-*", "o3"], markupPercent: 7 };
    await expect(apply(priced(narrower))).rejects.toThrow(/equally exactly/);
    await apply(priced(narrower), { prune: true });
    expect(await pricesOf()).toEqual([canonicalJson(narrower)]);
  });

  test("prices that leave open which one counts are refused where the file names the second", async () => {
    await apply(priced(claude, { models: ["*-4-5*"], markupPercent: 1 }), { prune: true });
    const twice = await apply(priced(claude, { ...claude, markupPercent: 6 })).catch(
      (error: unknown) => error,
    );
    expect((twice as FileFault).path).toEqual(["organizations", "wonka", "priceOverrides", "1"]);
    expect((twice as FileFault).message).toMatch(
      /^"claude-\*" and "claude-\*" of price override price_\w+ name the same endpoints equally exactly\. Change or archive/,
    );
  });

  test("address ranges that cannot be read are refused where the file names them", async () => {
    const file = (ipRanges: readonly string[]): GovernanceFile =>
      governanceFileSchema.parse({
        version: 1,
        organizations: {
          default: {
            name: "Default",
            timeZone: "UTC",
            projects: { Default: { keys: { office: { settings: { ipRanges } } } } },
          },
        },
      });
    const { stored } = await createKey(store.core, Buffer.alloc(32, 7), {
      name: "office",
      now: deed.now,
    });
    const failed = await apply(file(["10.0.0.0/8", "10.0.0.0/99"])).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(FileFault);
    expect((failed as FileFault).path).toEqual([
      "organizations",
      "default",
      "projects",
      "Default",
      "keys",
      "office",
    ]);
    expect((failed as FileFault).message).toMatch(/settings\.ipRanges\.1 must be an address/);
    expect((await getKey(deed, stored.id)).settings).toBe("{}");
    await apply(file(["10.0.0.0/8", "2001:db8::/32"]));
    expect((await getKey(deed, stored.id)).settings).toContain("2001:db8::/32");
  });

  test("without --prune what a file does not name stays", async () => {
    const full = governanceFileSchema.parse({
      version: 1,
      organizations: { hooli: { name: "Hooli", timeZone: "UTC", teams: { a: {}, b: {} } } },
    });
    await apply(full);
    const less = structuredClone(full);
    delete less.organizations["hooli"]?.teams?.["b"];
    expect(changes(await apply(less))).toEqual([]);
    expect(changes(await apply(less, { prune: true }))).toEqual([
      { path: ["organizations", "hooli", "teams", "b"], action: "delete" },
    ]);
  });
});
