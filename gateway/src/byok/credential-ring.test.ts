import { afterEach, beforeEach, expect, test } from "vitest";

import { createCredentialRing, type CredentialRing } from "#byok/credential-ring.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { createEnvelope } from "#privacy/envelope.ts";
import { PROVIDERS } from "#providers/providers.ts";
import { directoryVersion } from "#store/directory-version.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { tenantsIn, type Tenants } from "#test/tenants.ts";

const SECRET = "sk-canary-0123456789abcdef";

describeOnEach("credentials in memory", (make) => {
  let database: TestDatabase;
  let store: Store;
  let tenants: Tenants;
  let ring: CredentialRing;
  let notices: string[];
  let changed: string[];
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    const master = loadMasterKey(database.home, undefined);
    tenants = tenantsIn(store, master);
    notices = [];
    changed = [];
    ring = ringWith(master);
    await tenants.organization("one");
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const ringWith = (master: ReturnType<typeof loadMasterKey>): CredentialRing =>
    createCredentialRing({
      core: store.core,
      envelope: createEnvelope({ core: store.core, master, now: Date.now }),
      onNotice: (notice) => void notices.push(notice),
      onChange: (credential) => void changed.push(credential),
    });
  const look = async (): Promise<void> => ring.look(await directoryVersion(store.core));
  const add = (changes: object = {}): Promise<string> =>
    tenants.credential({ organization: "one", provider: "openai", secret: SECRET, ...changes });
  const names = (): readonly string[] => (ring.of("org_one") ?? []).map(({ id }) => id);

  test("one is there after the next look, its secret in a closure only", async () => {
    const id = await add({ hint: "" });
    expect(ring.of("org_one")).toBeUndefined();
    await look();
    const [one] = ring.of("org_one") ?? [];
    expect(one).toMatchObject({ id, projectId: null, provider: "openai", position: 0 });
    expect(JSON.stringify(one)).not.toContain(SECRET);
    const authorize = PROVIDERS["openai"] && one?.authorizeFor(PROVIDERS["openai"]);
    expect(authorize?.({ method: "GET", url: new URL("https://api.openai.com") })).toEqual({
      authorization: `Bearer ${SECRET}`,
    });
    expect(changed).toEqual([`openai@byok:${id}`]);
    expect(ring.of("org_default")).toBeUndefined();
  });

  test("a project's come first, then by position; what is out of force is gone", async () => {
    const last = await add({ position: 3 });
    const first = await add({ project_id: "proj_one", position: 9 });
    const middle = await add({ position: 1 });
    await look();
    expect(names()).toEqual([first, middle, last]);
    const before = ring.generation();
    await tenants.change(middle, { disabled_at: 1 });
    await look();
    expect(names()).toEqual([first, last]);
    expect(ring.generation()).not.toBe(before);
    await tenants.change(middle, { disabled_at: null, position: 10 });
    await tenants.change(first, { archived_at: 1 });
    await tenants.change(last, { archived_at: 1 });
    await look();
    expect(names()).toEqual([middle]);
    await tenants.change(middle, { archived_at: 1 });
    await look();
    expect(ring.of("org_one")).toBeUndefined();
  });

  test("under another master key nothing opens: each is left out and told of, and the rest works", async () => {
    const id = await add();
    const other = loadMasterKey(database.home, "another-master-key-0123456789-0123456789");
    const strange = ringWith(other);
    await strange.look(await directoryVersion(store.core));
    expect(strange.of("org_one")).toBeUndefined();
    expect(strange.faultOf(id)).toMatch(/another master key/);
    expect(notices.join()).toContain(id);
    expect(notices.join()).not.toContain(SECRET);
    await look();
    expect(names()).toEqual([id]);
    expect(ring.faultOf(id)).toBeUndefined();
  });

  test("a secret that was put under another credential's name does not open", async () => {
    const one = await add();
    const other = await add();
    const { sealed, encryption_key } = await store.core
      .selectFrom("provider_credentials")
      .selectAll()
      .where("id", "=", one)
      .executeTakeFirstOrThrow();
    await tenants.change(other, { sealed, encryption_key });
    await look();
    expect(names()).toEqual([one]);
    expect(ring.faultOf(other)).toBeDefined();
  });

  test("a store that fails leaves what is known in force, and the next look reads it all", async () => {
    const id = await add();
    await look();
    await tenants.change(id, { disabled_at: 1 });
    const version = await directoryVersion(store.core);
    const failing = store.core.withPlugin({
      transformQuery: () => {
        throw new Error("the disk is gone");
      },
      transformResult: async ({ result }) => result,
    });
    const broken = createCredentialRing({
      core: failing,
      envelope: { open: async () => undefined },
      onNotice: () => undefined,
      onChange: () => undefined,
    });
    await expect(broken.look(version)).rejects.toThrow("the disk is gone");
    await expect(broken.look(version)).rejects.toThrow("the disk is gone");
    expect(names()).toEqual([id]);
    await look();
    expect(ring.of("org_one")).toBeUndefined();
  });
});
