import { afterEach, beforeEach, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { digestOf } from "#governance/api-key.ts";
import { createKey, newKey, rotateKey } from "#governance/create-key.ts";
import { openDirectory, type Directory } from "#governance/directory.ts";
import { NO_POLICY } from "#governance/effective-policy.ts";
import { openKeyRing, type KeyRing } from "#governance/key-ring.ts";
import { newPerson } from "#governance/people.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { insertKeyAt, listKeys, noteKeysUsed, revokeKeys, updateKey } from "#store/keys.ts";
import { insertPriceOverride } from "#store/price-overrides.ts";
import type { Store } from "#store/store.ts";
import { insertUser, updateUser } from "#store/users.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

const PEPPER = Buffer.alloc(32, 7);
const START = 1_800_000_000_000;

describeOnEach("keys in memory", (make) => {
  let database: TestDatabase;
  let store: Store;
  let directory: Directory;
  let ring: KeyRing;
  let now: number;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    now = START;
    directory = await openDirectory(store.core, () => now);
    ring = openKeyRing({
      directory,
      pepper: PEPPER,
      now: () => now,
      noteUsed: (ids, at) => noteKeysUsed(store.core, ids, at),
    });
  });
  afterEach(async () => {
    directory.close();
    await ring.close();
    await store.close();
    await database.remove();
  });

  const create = async (options: Partial<Parameters<typeof createKey>[2]> = {}) => {
    const made = await createKey(store.core, PEPPER, { name: "one", now, ...options });
    await directory.refresh();
    return made;
  };
  const access = (key: string): Access => ring.authenticate(key, "127.0.0.1");
  const refusal = (key: string | undefined, address = "127.0.0.1"): string => {
    try {
      ring.authenticate(key, address);
      return "accepted";
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return `${error.failure.code}: ${error.failure.message}`;
    }
  };

  test("a key gives access to where it belongs", async () => {
    const { key, stored } = await create();
    expect(access(key)).toMatchObject({
      key: { id: stored.id, name: "one", expiresAt: null },
      organization: { id: "org_default", plan: "enterprise", timeZone: "UTC" },
      project: { id: "proj_default" },
      limits: [],
      budgets: [],
    });
    expect(access(key).policy).toBe(NO_POLICY);
    expect(access(key)).toBe(access(key));
  });

  test("strangers are told what is wrong", async () => {
    const { key } = await create();
    expect(refusal(undefined)).toMatch(/unauthenticated: No API key was sent/);
    expect(refusal("sk-another-providers-key")).toMatch(/unauthenticated: .* not a key of this/);
    expect(refusal(newKey(PEPPER, { name: "unknown", now }).key)).toMatch(/not a key of this/);
    expect(refusal(key.slice(0, -1))).toMatch(/unauthenticated: .*checksum/);
    expect(refusal(`${key}a`)).toMatch(/checksum/);
    expect(refusal("sk-tp-")).toMatch(/checksum/);
  });

  test("an expired key is refused from that moment on, without a look at the store", async () => {
    const { key } = await create({ expiresAt: START + 1_000 });
    now = START + 999;
    expect(refusal(key)).toBe("accepted");
    now = START + 1_000;
    expect(refusal(key)).toMatch(/unauthenticated: The API key expired on 2027-01-15T08:00:01/);
  });

  test("what is taken out of force says so, and comes back", async () => {
    const { key, stored } = await create();
    const set = async (
      table: "organizations" | "projects" | "keys",
      [column, value]: readonly [string, number | null],
    ): Promise<void> => {
      await changeDirectory(store.core, (transaction, version) =>
        transaction
          .updateTable(table)
          .set({ [column]: value, version })
          .execute(),
      );
      await directory.refresh();
    };
    await set("keys", ["disabled_at", 1]);
    expect(refusal(key)).toMatch(/forbidden: The API key is disabled/);
    await set("keys", ["disabled_at", null]);
    expect(refusal(key)).toBe("accepted");
    await set("projects", ["archived_at", 1]);
    expect(refusal(key)).toMatch(/forbidden: The project of this API key is archived/);
    await set("projects", ["archived_at", null]);
    await set("organizations", ["disabled_at", 1]);
    expect(refusal(key)).toMatch(/forbidden: The organization of this API key is disabled/);
    await set("organizations", ["disabled_at", null]);
    expect(refusal(key)).toBe("accepted");
    expect(await revokeKeys(store.core, stored.id, now)).toBe(1);
    await directory.refresh();
    expect(refusal(key)).toMatch(/unauthenticated: The API key was revoked/);
  });

  test("a disabled owner's keys are refused, earlier secrets too, and work again with the owner", async () => {
    await changeDirectory(store.core, (transaction, version) =>
      insertUser(transaction, {
        ...newPerson({ email: "ada@example.org", name: "Ada", now, version }),
        id: "user_ada",
      }),
    );
    const { key: first, stored } = await create({ ownerId: "user_ada" });
    const { key: second } = await rotateKey(store.core, PEPPER, {
      id: stored.id,
      now,
      overlapMs: 5_000,
    });
    const { key: others } = await create({ name: "nobody's" });
    const setDisabled = async (disabledAt: number | null): Promise<void> => {
      await changeDirectory(store.core, (transaction, version) =>
        updateUser(transaction, "user_ada", { disabled_at: disabledAt, version }),
      );
      await directory.refresh();
    };
    const all = (): readonly string[] => [first, second, others].map((key) => refusal(key));
    await directory.refresh();
    expect(all()).toEqual(["accepted", "accepted", "accepted"]);
    await setDisabled(now);
    const refused = expect.stringMatching(/^forbidden: The owner of this API key is disabled/);
    expect(all()).toEqual([refused, refused, "accepted"]);
    // A gateway that starts now knows it, too.
    const later = await openDirectory(store.core, () => now);
    expect(later.find(digestOf(second, PEPPER))).toMatchObject({ refused: { code: "forbidden" } });
    later.close();
    await setDisabled(null);
    expect(all()).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("a rotated key stays the same key; its earlier secret works until the overlap is over", async () => {
    const { key: first, stored } = await create();
    const { key: second } = await rotateKey(store.core, PEPPER, {
      id: stored.id,
      now,
      overlapMs: 5_000,
    });
    await directory.refresh();
    expect(access(second).key).toMatchObject({ id: stored.id, expiresAt: null });
    expect(access(first).key).toMatchObject({
      id: stored.id,
      expiresAt: START + 5_000,
    });
    const { key: third } = await rotateKey(store.core, PEPPER, {
      id: stored.id,
      now,
      overlapMs: 9_000,
    });
    await directory.refresh();
    expect([first, second, third].map((key) => access(key).key.id)).toEqual(
      Array.from({ length: 3 }, () => stored.id),
    );
    now = START + 5_000;
    expect([first, second, third].map((key) => refusal(key))).toEqual([
      expect.stringMatching(/expired/),
      "accepted",
      "accepted",
    ]);
    expect(await revokeKeys(store.core, stored.id, now)).toBe(1);
    await directory.refresh();
    expect([second, third].map((key) => refusal(key))).toEqual([
      expect.stringMatching(/revoked/),
      expect.stringMatching(/revoked/),
    ]);
    await expect(
      rotateKey(store.core, PEPPER, { id: stored.id, now, overlapMs: 0 }),
    ).rejects.toThrow(/no key/);
  });

  test("changes of any process are seen by themselves within a second", async () => {
    const { key, stored } = await createKey(store.core, PEPPER, { name: "late", now });
    const within = async (wanted: RegExp): Promise<void> => {
      await expect.poll(() => refusal(key), { timeout: 1_000, interval: 20 }).toMatch(wanted);
    };
    await within(/accepted/);
    await updateKey(store.core, stored.id, { revokedAt: now });
    await within(/revoked/);
  });

  test("without a readable store the last state serves a minute, then nothing is a 401", async () => {
    const { key } = await create();
    await store.close();
    now = START + 60_000;
    expect(refusal(key)).toBe("accepted");
    now = START + 60_001;
    expect(refusal(key)).toMatch(/store_unavailable/);
    expect(refusal("sk-unknown")).toMatch(/store_unavailable/);
    store = await database.open();
  });

  test("a policy that cannot be read forbids everything rather than nothing", async () => {
    const { key, stored } = await create();
    await changeDirectory(store.core, (transaction, version) =>
      transaction
        .insertInto("policies")
        .values({
          id: "pol_1",
          organization_id: "org_default",
          level: "key",
          target_id: stored.id,
          document: '{"fromTheFuture":1}',
          created_at: 0,
          updated_at: 0,
          deleted_at: null,
          version,
        })
        .execute(),
    );
    await directory.refresh();
    expect(refusal(key)).toMatch(/store_unavailable: A policy.*cannot be read/);
  });

  test("price overrides come in the order in which they were made, whatever order the store has", async () => {
    const { key } = await create();
    const insert = (id: string, markupPercent: number): Promise<unknown> =>
      changeDirectory(store.core, (transaction, version) =>
        insertPriceOverride(transaction, {
          id,
          organization_id: "org_default",
          document: JSON.stringify({ markupPercent }),
          created_at: 0,
          archived_at: null,
          version,
        }),
      );
    await insert("price_2", 20);
    await insert("price_1", 10);
    await directory.refresh();
    const markups = access(key).priceOverrides.map(({ markupPercent }) => markupPercent);
    expect(markups).toEqual([10, 20]);
  });

  test("last uses are written in one batch, beside the directory", async () => {
    const { key, stored } = await create();
    access(key);
    const before = directory.version();
    await ring.close();
    const [row] = await listKeys(store.core);
    expect(row).toMatchObject({ id: stored.id, lastUsedAt: START });
    await directory.refresh();
    expect(directory.version()).toBe(before);
  });

  test("a thousand keys of one version are all read, by the page", async () => {
    const keys = Array.from({ length: 1_000 }, (_, at) =>
      newKey(PEPPER, { name: `bulk ${at}`, now }),
    );
    await changeDirectory(store.core, async (transaction, version) => {
      await Promise.all(keys.map(({ stored }) => insertKeyAt(transaction, stored, version)));
    });
    await directory.refresh();
    expect(keys.map(({ key }) => access(key).key.name)).toEqual(
      keys.map(({ stored }) => stored.name),
    );
  });
});
