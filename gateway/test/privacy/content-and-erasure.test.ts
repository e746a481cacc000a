import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createContentLog, type ContentEntry, type ContentLog } from "#privacy/content-log.ts";
import { erase, erasedBefore, replayErasures, type EraseDeps } from "#privacy/erase.ts";
import { readErasureList } from "#privacy/erasure-list.ts";
import { createEnvelope, type Envelope } from "#privacy/envelope.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { readContent, searchContent } from "#privacy/read-content.ts";
import { receiptPublicKey, verifyReceipt } from "#privacy/receipt.ts";
import { openSealedContent, readSealingKey } from "#privacy/sealed-content.ts";
import { subjectOf } from "#privacy/content-owner.ts";
import { createCompactor } from "#store/compact.ts";
import { deleteExpiredContent } from "#store/content-log.ts";
import { listErasures } from "#store/erasures.ts";
import { openStore, type Store } from "#store/store.ts";
import { copyOnPostgres, describeOnEach, rowsHold, type TestDatabase } from "#test/databases.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const START = Date.UTC(2026, 10, 20);

describeOnEach("content log and erasure", (make, dialect) => {
  let database: TestDatabase;
  let store: Store;
  let envelope: Envelope;
  let content: ContentLog;
  let deps: EraseDeps;
  let now = START;

  const open = (over: Store): EraseDeps & { readonly envelope: Envelope } => {
    const master = loadMasterKey(database.home, undefined);
    const { core, records } = over;
    return {
      core,
      records,
      master,
      envelope: createEnvelope({ core, master, now: () => now }),
      now: () => now,
      compact: createCompactor(over),
      listFile: join(database.home, "erasures.jsonl"),
      settleMs: 5,
    };
  };
  let dropped: string[];
  const logOf = (capacityBytes?: number): ContentLog =>
    createContentLog({
      records: store.records,
      envelope,
      erasedSince: async (at) => (await listErasures(store.core, at)).map(erasedBefore),
      onProblem: () => undefined,
      onDropped: (entry) => void dropped.push(`${entry.organizationId} ${entry.requestId}`),
      ...(capacityBytes !== undefined && { capacityBytes }),
    });

  const start = async (): Promise<void> => {
    store = await database.open();
    const opened = open(store);
    deps = opened;
    ({ envelope } = opened);
    content = logOf();
  };

  beforeEach(async () => {
    now = START;
    dropped = [];
    database = await make();
    await start();
  });
  afterEach(async () => {
    await content.close();
    await store.close();
    await database.remove();
  });

  const entry = (
    id: string,
    changes: Partial<ContentEntry> & { endUser?: string } = {},
  ): ContentEntry => {
    const { endUser, ...rest } = changes;
    const owner = { organizationId: "org_default", projectId: "proj_default", endUser, ...rest };
    return {
      requestId: id,
      subject: subjectOf(owner),
      organizationId: owner.organizationId,
      projectId: owner.projectId,
      at: START,
      expiresAt: START + 7 * DAY_MS,
      redact: true,
      searchable: false,
      request: JSON.stringify({
        messages: [{ role: "user", content: `CANARY-${id} ada@example.org` }],
      }),
      answer: `data: {"choices":[{"delta":{"content":"CANARY-${id} a"}}]}\n\ndata: {"choices":[{"delta":{"content":"da@exam"}}]}\n\ndata: {"choices":[{"delta":{"content":"ple.org!"}}]}\n\n`,
      ...rest,
    };
  };
  const keep = async (...entries: readonly ContentEntry[]): Promise<void> => {
    for (const one of entries) content.offer(one);
    await content.settled();
  };
  const read = (id: string) =>
    readContent({ records: store.records, envelope, now: () => now }, id);
  const rows = () => store.records.selectFrom("content_log").selectAll().execute();

  test("is kept redacted, encrypted, and read again by another gateway", async () => {
    await keep(entry("r1", { endUser: "ada" }));
    const other = createEnvelope({
      core: store.core,
      master: loadMasterKey(database.home, undefined),
      now: () => now,
    });
    const found = await readContent(
      { records: store.records, envelope: other, now: () => now },
      "r1",
    );
    expect(found?.state).toBe("kept");
    expect(found?.request).toContain("CANARY-r1 [email]");
    expect(found?.answer).toContain("CANARY-r1 [email]");
    expect(found?.answer).not.toMatch(/da@exam|ple\.org/);
    const [row] = await rows();
    expect(Buffer.from(row?.request ?? []).toString("latin1")).not.toContain("CANARY");
  });

  test("ends at its time, and at once for readers", async () => {
    await keep(entry("r1"));
    now = START + 7 * DAY_MS;
    expect(await read("r1")).toBeUndefined();
    expect(await deleteExpiredContent(store.records, now)).toBe(1);
    expect(await rows()).toEqual([]);
  });

  test.each(["rsa", "x25519", "ec"] as const)(
    "sealed with a %s key it can be read by its owner only",
    async (kind) => {
      const pair =
        kind === "rsa"
          ? generateKeyPairSync("rsa", { modulusLength: 2048 })
          : kind === "ec"
            ? generateKeyPairSync("ec", { namedCurve: "prime256v1" })
            : generateKeyPairSync("x25519");
      const publicPem = pair.publicKey.export({ type: "spki", format: "pem" });
      const privatePem = pair.privateKey.export({ type: "pkcs8", format: "pem" });
      await keep(entry("r1", { publicKey: readSealingKey(publicPem), searchable: true }));
      const found = await read("r1");
      expect(found?.state).toBe("sealed");
      const sealed = Buffer.from(found?.request ?? "", "base64");
      const opened = openSealedContent(sealed, privatePem);
      expect(opened.plain.toString()).toContain("CANARY-r1");
      expect(opened.about).toMatchObject({ request: "r1", field: "request" });
      const bent = Buffer.from(sealed);
      bent[20] = (bent[20] ?? 0) ^ 1;
      expect(() => openSealedContent(bent, privatePem)).toThrow();
      expect(await store.records.selectFrom("content_words").selectAll().execute()).toEqual([]);
    },
  );

  test("a key that is too weak, private or none is refused in words", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const { privateKey } = generateKeyPairSync("x25519");
    expect(() => readSealingKey(weak.publicKey.export({ type: "spki", format: "pem" }))).toThrow(
      /2048/,
    );
    expect(() => readSealingKey(privateKey.export({ type: "pkcs8", format: "pem" }))).toThrow(
      /private/,
    );
    expect(() => readSealingKey("hello")).toThrow(/PEM/);
  });

  test("is found by its words where that is wanted, and no word stands in the index", async () => {
    await keep(
      entry("r1", { searchable: true, request: '{"prompt":"the blue elephant"}' }),
      entry("r2", { searchable: true, request: '{"prompt":"the red elephant"}' }),
      entry("r3", { request: '{"prompt":"the blue elephant"}' }),
    );
    const search = (query: string, organization = "org_default") =>
      searchContent({ records: store.records, envelope }, organization, query);
    expect(await search("Blue ELEPHANT")).toEqual(["r1"]);
    expect(await search("elephant")).toEqual(["r2", "r1"]);
    expect(await search("elephant", "org_other")).toEqual([]);
    const words = await store.records.selectFrom("content_words").select("word").execute();
    expect(words.some(({ word }) => /blue|elephant/.test(word))).toBe(false);
  });

  test("too much at once drops the oldest, and says so", async () => {
    content = logOf(4_000);
    const big = (id: string) => entry(id, { request: "x".repeat(400), answer: "y".repeat(400) });
    const ids = Array.from({ length: 6 }, (_, at) => `r${at}`);
    for (const id of ids) content.offer(big(id));
    expect(content.counts().dropped).toBe(4);
    expect(dropped).toEqual(ids.slice(0, 4).map((id) => `org_default ${id}`));
    await content.settled();
    const states = (await rows()).map(({ request_id, state }) => `${request_id} ${state}`);
    expect(states.toSorted()).toEqual(
      ids.map((id, at) => `${id} ${at < 4 ? "content_dropped" : "kept"}`),
    );
    expect(content.counts().waitingBytes).toBe(0);
  });

  test("a store that fails loses nothing that waits", async () => {
    let fails = true;
    const records = new Proxy(store.records, {
      get: (target, name) => {
        if (name === "transaction" && fails) throw new Error("disk full");
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    const log = createContentLog({
      records,
      envelope,
      erasedSince: async () => [],
      onProblem: () => {
        fails = false;
      },
      onDropped: () => undefined,
    });
    log.offer(entry("r1"));
    await log.settled();
    expect((await rows()).length).toBe(1);
  });

  const record = (id: string, endUser: string | null) =>
    store.records
      .insertInto("request_records")
      .values({
        id,
        started_at: START,
        key_id: "key_1",
        organization_id: "org_default",
        project_id: "proj_default",
        operation: "chat",
        protocol: "openai-chat",
        model_asked: "m",
        streamed: 0,
        status: 200,
        attempts: "[]",
        usage_estimated: 0,
        cost_nano_usd: 5,
        total_ms: 1,
        overhead_ms: 1,
        end_user: endUser,
        session_id: "CANARY-session",
        warnings: "[]",
      } as never)
      .execute();

  test("a person: keys destroyed, texts removed, names out of records, costs stay; all else stays", async () => {
    await keep(entry("r1", { endUser: "ada" }), entry("r2", { endUser: "bob" }));
    await Promise.all([record("r1", "ada"), record("r2", "bob")]);
    now = START + 1_000;
    const receipt = await erase(deps, "org_default", { kind: "subject", endUser: "ada" });
    expect(receipt.counts).toMatchObject({ keys: 1, content_rows: 1, request_records: 1 });
    expect(JSON.stringify(receipt)).not.toContain("ada");
    expect(await read("r1")).toBeUndefined();
    expect((await read("r2"))?.request).toContain("CANARY-r2");
    const records = await store.records
      .selectFrom("request_records")
      .select(["id", "end_user", "session_id", "cost_nano_usd"])
      .orderBy("id")
      .execute();
    expect(records).toEqual([
      { id: "r1", end_user: null, session_id: null, cost_nano_usd: 5 },
      { id: "r2", end_user: "bob", session_id: "CANARY-session", cost_nano_usd: 5 },
    ]);
  });

  test("the receipt is signed: a changed one is none, and only this gateway's key fits", async () => {
    const receipt = await erase(deps, "org_default", { kind: "record", requestId: "r1" });
    const key = await receiptPublicKey(deps.core, deps.master, now);
    expect(verifyReceipt(receipt, key)).toBe(true);
    expect(verifyReceipt(JSON.parse(JSON.stringify(receipt)), key)).toBe(true);
    expect(verifyReceipt({ ...receipt, counts: { ...receipt.counts, keys: 9 } }, key)).toBe(false);
    expect(verifyReceipt({ ...receipt, extra: 1 }, key)).toBe(false);
    const { publicKey } = generateKeyPairSync("ed25519");
    const other = publicKey.export({ type: "spki", format: "pem" });
    expect(verifyReceipt(receipt, other)).toBe(false);
    expect(await receiptPublicKey(deps.core, deps.master, now)).toBe(key);
  });

  test("a record, a range, a project, an organization: each takes what it names", async () => {
    const place = { organizationId: "org_default", projectId: "proj_2" };
    const all = [
      entry("r1"),
      entry("r2", { at: START + 10 }),
      entry("r3", { ...place, endUser: "ada" }),
      entry("r4", { organizationId: "org_b", projectId: "proj_b" }),
    ];
    now = START + 1_000;
    await keep(...all);
    const left = async () => (await rows()).map(({ request_id }) => request_id).toSorted();
    await erase(deps, "org_b", { kind: "record", requestId: "r1" });
    expect(await left()).toEqual(["r1", "r2", "r3", "r4"]);
    await erase(deps, "org_default", { kind: "record", requestId: "r1" });
    expect(await left()).toEqual(["r2", "r3", "r4"]);
    await erase(deps, "org_default", { kind: "range", from: START + 10, to: START + 11 });
    expect(await left()).toEqual(["r3", "r4"]);
    const project = await erase(deps, "org_default", { kind: "project", projectId: "proj_2" });
    expect(project.counts["keys"]).toBe(1);
    expect(await left()).toEqual(["r4"]);
    await erase(deps, "org_b", { kind: "organization" });
    expect(await left()).toEqual([]);
    const keys = await store.core
      .selectFrom("encryption_keys")
      .selectAll()
      .where("organization_id", "=", "org_b")
      .execute();
    expect(keys).toEqual([]);
  });

  test("what another gateway has on the way is not written after it, and what comes later is", async () => {
    now = START + 1_000;
    await erase(deps, "org_default", { kind: "subject", endUser: "ada" });
    await keep(
      entry("late", { endUser: "ada" }),
      entry("new", { endUser: "ada", at: START + 2_000 }),
    );
    expect((await rows()).map(({ request_id }) => request_id)).toEqual(["new"]);
    expect((await read("new"))?.state).toBe("kept");
  });

  test("a hundred people: nothing of them is left, everything of the others is", async () => {
    const people = Array.from({ length: 100 }, (_, at) => `person-${at}`);
    await keep(...people.map((endUser, at) => entry(`r${at}`, { endUser })));
    now = START + 1_000;
    const gone = people.filter((_, at) => at % 2 === 0);
    const began = performance.now();
    await Promise.all(
      gone.map((endUser) => erase(deps, "org_default", { kind: "subject", endUser })),
    );
    expect(performance.now() - began).toBeLessThan(60_000);
    for (const [at, person] of people.entries()) {
      const found = await read(`r${at}`);
      expect(found === undefined).toBe(gone.includes(person));
    }
  });

  interface Backup {
    readonly open: () => Promise<Store>;
    readonly holdsCanary: () => Promise<boolean>;
    readonly remove: () => Promise<void>;
  }
  const filesHold = async (folder: string): Promise<boolean> =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes("CANARY"));
  const backupFiles = async (): Promise<Backup> => {
    const folder = mkdtempSync(join(tmpdir(), "turnpike-erasure-"));
    await store.copyTo?.("core", join(folder, "turnpike.db"));
    await store.copyTo?.("records", join(folder, "records.db"));
    copyFileSync(join(database.home, "master.key"), join(folder, "master.key"));
    return {
      open: () => openStore({ home: folder }),
      holdsCanary: () => filesHold(folder),
      remove: async () => rmSync(folder, { recursive: true }),
    };
  };
  const backupDatabase = async (): Promise<Backup> => {
    await content.close();
    await store.close();
    const copy = await copyOnPostgres(database);
    await start();
    return { ...copy, holdsCanary: () => rowsHold(copy, "CANARY") };
  };

  test("nothing that is stored holds anything of it, and a backup has nothing once it is told again", async () => {
    const isHeld = (): Promise<boolean> =>
      dialect === "sqlite" ? filesHold(database.home) : rowsHold(database, "CANARY");
    await keep(entry("r1", { endUser: "ada", redact: false }));
    await record("r1", "ada-CANARY");
    const backup = await (dialect === "sqlite" ? backupFiles() : backupDatabase());
    expect([await isHeld(), await backup.holdsCanary()]).toEqual([true, true]);
    now = START + 1_000;
    await erase(deps, "org_default", { kind: "subject", endUser: "ada" });
    await erase(deps, "org_default", { kind: "subject", endUser: "ada-CANARY" });
    expect(await isHeld()).toBe(false);
    const restored = await backup.open();
    const old = open(restored);
    const readOld = () =>
      readContent({ records: restored.records, envelope: old.envelope, now: () => now }, "r1");
    expect((await readOld())?.request).toContain("CANARY-r1");
    const list = await readErasureList(join(database.home, "erasures.jsonl"));
    expect(await replayErasures(old, list)).toBe(2);
    expect(await readOld()).toBeUndefined();
    await restored.close();
    expect(await backup.holdsCanary()).toBe(false);
    await backup.remove();
  });
});
