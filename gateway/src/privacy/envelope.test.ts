import { afterEach, beforeEach, expect, test } from "vitest";

import { createEnvelope, type Envelope, type SealScope } from "#privacy/envelope.ts";
import { forgetEarlierSecrets, loadMasterKey, rotateKeyFile } from "#privacy/master-key.ts";
import { rewrapOrganizationKeys } from "#privacy/rotate-master-key.ts";
import { destroyKeys } from "#store/encryption-keys.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

describeOnEach("envelope", (make) => {
  let database: TestDatabase;
  let store: Store;
  let now = Date.UTC(2026, 10, 1);
  const open = (): Envelope =>
    createEnvelope({
      core: store.core,
      master: loadMasterKey(database.home, undefined),
      now: () => now,
    });
  beforeEach(async () => {
    database = await make();
    store = await database.open();
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const scope = (user: string, changes: Partial<SealScope> = {}): SealScope => ({
    organizationId: "org_a",
    purpose: "content",
    subject: { kind: "end-user", id: user },
    ...changes,
  });
  const text = { text: Buffer.from("what only Ada may read") };
  const keys = () => store.core.selectFrom("encryption_keys").selectAll().execute();

  test("what one gateway sealed another opens, and no table holds a key or a name", async () => {
    const { keyId, fields } = await open().sealFor(scope("ada@example.org"), "r1", text);
    const record = { organizationId: "org_a", recordId: "r1", keyId, fields };
    expect(await open().open(record)).toEqual(text);
    expect(JSON.stringify(await keys())).not.toContain("ada");
    expect((await keys()).map(({ level }) => level).toSorted()).toEqual([
      "organization",
      "subject",
    ]);
  });

  test("a field that is changed, renamed or moved to another record or organization does not open", async () => {
    const envelope = open();
    const { keyId, fields } = await envelope.sealFor(scope("ada"), "r1", text);
    const record = { organizationId: "org_a", recordId: "r1", keyId, fields };
    const sealed = fields["text"] as Buffer;
    const bent = Buffer.from(sealed);
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1;
    const { keyId: otherKey } = await envelope.sealFor(scope("bob"), "r1", text);
    for (const wrong of [
      { ...record, recordId: "r2" },
      { ...record, organizationId: "org_b" },
      { ...record, keyId: otherKey },
      { ...record, fields: { other: sealed } },
      { ...record, fields: { text: bent } },
      { ...record, fields: { text: sealed.subarray(0, 20) } },
    ]) {
      await expect(envelope.open(wrong)).rejects.toThrow();
    }
  });

  test("organizations, purposes and subjects have keys of their own", async () => {
    const envelope = open();
    const scopes = [
      scope("ada"),
      scope("bob"),
      scope("ada", { organizationId: "org_b" }),
      scope("ada", { purpose: "credentials" }),
      scope("ada", { subject: { kind: "project", id: "ada" } }),
    ];
    const used = [];
    for (const each of scopes) used.push((await envelope.sealFor(each, "r", text)).keyId);
    expect(new Set(used).size).toBe(scopes.length);
    expect((await keys()).filter(({ level }) => level === "organization").length).toBe(3);
  });

  test("two gateways that begin at once use one key", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => open().sealFor(scope("ada"), "r", text)),
    );
    for (const { keyId, fields } of made) {
      expect(await open().open({ organizationId: "org_a", recordId: "r", keyId, fields })).toEqual(
        text,
      );
    }
    expect((await keys()).filter(({ level }) => level === "organization").length).toBe(1);
    expect((await keys()).length).toBe(2);
  });

  test("a key is replaced after 30 days and after 2^31 records, and old records still open", async () => {
    const envelope = open();
    const first = await envelope.sealFor(scope("ada"), "r", text);
    now += 30 * DAY_MS;
    const second = await envelope.sealFor(scope("ada"), "r", text);
    expect(second.keyId).not.toBe(first.keyId);
    await store.core
      .updateTable("encryption_keys")
      .set({ uses: 2 ** 31 - 1 })
      .where("id", "=", second.keyId)
      .execute();
    const third = await open().sealFor(scope("ada"), "r", text);
    expect(third.keyId).not.toBe(second.keyId);
    const record = { organizationId: "org_a", recordId: "r", ...first };
    expect(await envelope.open(record)).toEqual(text);
  });

  test("a destroyed key opens nothing on any gateway within a second, and new records get a new key", async () => {
    const [here, there] = [open(), open()];
    const sealed = await here.sealFor(scope("ada"), "r", text);
    const record = { organizationId: "org_a", recordId: "r", ...sealed };
    expect(await there.open(record)).toEqual(text);
    const subjects = [here.pseudonym("org_a", { kind: "end-user", id: "ada" })];
    const gone = await destroyKeys(store.core, { organizationId: "org_a", subjects });
    expect(gone).toEqual([sealed.keyId]);
    await here.refresh();
    expect(await here.open(record)).toBeUndefined();
    now += 1_000;
    expect(await there.open(record)).toBeUndefined();
    const next = await there.sealFor(scope("ada"), "r", text);
    expect(next.keyId).not.toBe(sealed.keyId);
  });

  test("what is sealed with a key that was destroyed meanwhile cannot be read", async () => {
    const [here, there] = [open(), open()];
    await there.sealFor(scope("ada"), "r", text);
    await destroyKeys(store.core, { organizationId: "org_a" });
    now += 999;
    const late = await there.sealFor(scope("ada"), "r", text);
    expect(await here.open({ organizationId: "org_a", recordId: "r", ...late })).toBeUndefined();
  });

  test("a store that fails while keys are to be trusted fails the write", async () => {
    const envelope = open();
    await envelope.sealFor(scope("ada"), "r", text);
    await store.close();
    now += 1_000;
    await expect(envelope.sealFor(scope("ada"), "r", text)).rejects.toThrow();
    store = await database.open();
  });

  test("a rotated master key wraps the organizations' keys anew and opens all; pseudonyms stay", async () => {
    const before = loadMasterKey(database.home, undefined);
    const sealed = await open().sealFor(scope("ada"), "r", text);
    const record = { organizationId: "org_a", recordId: "r", ...sealed };
    const rotated = rotateKeyFile(database.home);
    expect(rotated.id).not.toBe(before.id);
    expect(rotated.keyPepper).toEqual(before.keyPepper);
    expect(rotated.subjectKey).toEqual(before.subjectKey);
    const subject = (await keys()).find(({ level }) => level === "subject");
    expect(await rewrapOrganizationKeys(store.core, rotated)).toBe(1);
    expect(await rewrapOrganizationKeys(store.core, rotated)).toBe(0);
    forgetEarlierSecrets(database.home);
    expect((await keys()).find(({ level }) => level === "subject")).toEqual(subject);
    expect(await open().open(record)).toEqual(text);
    const old = createEnvelope({ core: store.core, master: before, now: () => now });
    await expect(old.open(record)).rejects.toThrow();
  });
});
