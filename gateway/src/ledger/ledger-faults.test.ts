import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";

import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import type { Charge, Ended, Reserve } from "#ledger/commands.ts";
import { openHolds, type HoldTiming, type OpenHolds } from "#ledger/open-holds.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { LEDGER_LOCK } from "#store/ledger-postgres.ts";
import { createLedgerStore, type LedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

const charge = (nanoUsd: bigint): Charge => ({
  walletId: "wallet:org_1",
  projectId: "proj_1",
  chargeNanoUsd: nanoUsd,
  tokens: 1,
  counters: [],
});

const reserve = (id: string, owner: string): Reserve => ({
  type: "reserve",
  id,
  at: 1_000,
  organizationId: "org_1",
  owner,
  deadline: 2_000,
  wallet: { id: "wallet:org_1", lowest: -1_000_000n },
  counters: [],
  lines: [{ basePicoUsd: 100_000n, outputPicoUsd: 1_000n, inputTokens: 100 }],
  answers: 1,
  wantedTokens: 400,
  leastTokens: 256,
  fallback: charge(100n),
});

const FAST: HoldTiming = {
  meterMs: 20,
  beatMs: 20,
  deadMs: 200,
  sweepMs: 60_000,
  graceMs: 0,
  retryMs: 20,
};

describeOnEach("a ledger whose store or process fails", (make) => {
  let database: TestDatabase;
  let store: Store;
  let ledgerStore: LedgerStore;
  let ledger: Ledger;
  let holds: OpenHolds;

  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledgerStore = createLedgerStore(store);
    ledger = openLedger({ store: ledgerStore, timeoutMs: 500 });
    holds = open("me");
  });
  afterEach(async () => {
    await holds.close();
    expect(await checkInvariants(store.core)).toEqual([]);
    await store.close();
    await database.remove();
  });

  const open = (owner: string, onSwept?: (ended: readonly Ended[]) => void): OpenHolds =>
    openHolds({
      ledger,
      store: ledgerStore,
      owner,
      now: () => 9_000,
      timing: FAST,
      ...(onSwept !== undefined && { onSwept }),
    });
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await store.core.selectFrom("holds").select("state").where("id", "=", id).executeTakeFirst())
      ?.state;
  const balance = async (): Promise<{ debits: number; pending: number } | undefined> => {
    const row = await store.core
      .selectFrom("ledger_accounts")
      .select(["debits", "pending"])
      .where("id", "=", "wallet:org_1")
      .executeTakeFirst();
    return row && { debits: Number(row.debits), pending: Number(row.pending) };
  };

  /** Somebody else has the ledger and does not give it back. */
  async function whileTaken(work: () => Promise<void>): Promise<void> {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let begun: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (begun = resolve));
    const holder = store.core.transaction().execute(async (transaction) => {
      await sql.raw(store.dialect === "postgres" ? LEDGER_LOCK : "SELECT 1").execute(transaction);
      begun();
      await released;
    });
    await taken;
    await work().finally(release);
    await holder;
  }

  test("a store that stands still is a 503 in time, and goes on by itself", async () => {
    await whileTaken(async () => {
      const first = ledger.run(reserve("stuck", "me"));
      await sleep(50);
      const second = ledger.run(reserve("waiting", "me"));
      for (const reply of [first, second]) {
        await expect(reply).rejects.toMatchObject({ failure: { code: "store_unavailable" } });
      }
    });
    await ledger.idle();
    // The one that was under way may be done; one that waited must not be. SQLite's thread had begun neither.
    expect(await stateOf("waiting")).toBeUndefined();
    holds.doLater({ type: "void", id: "stuck", at: 9_000 });
    await sleep(300);
    const hadBegun = store.dialect === "postgres";
    expect(await stateOf("stuck")).toBe(hadBegun ? "voided" : undefined);
    expect(await balance()).toEqual(hadBegun ? { debits: 0, pending: 0 } : undefined);
    expect(await ledger.run(reserve("next", "me"))).toMatchObject({ outputTokens: 400 });
    await ledger.run({ type: "void", id: "next", at: 9_000 });
  });

  test("what must be booked is booked once the store is back", async () => {
    await ledger.run(reserve("a", "me"));
    await whileTaken(async () => {
      holds.doLater({
        type: "settle",
        id: "a",
        at: 9_000,
        organizationId: "org_1",
        charge: charge(150n),
        held: true,
      });
      await sleep(700);
    });
    for (let tries = 0; tries < 100 && (await stateOf("a")) !== "settled"; tries++) await sleep(50);
    expect(await balance()).toEqual({ debits: 150, pending: 0 });
  });

  test("holds of a process that died are charged as far as they were metered", async () => {
    const dead = open("dead");
    await dead.begin("a");
    await ledger.run(reserve("a", "dead"));
    dead.meter("a", () => ({ deliveredTokens: 30, fallback: charge(130n) }));
    await sleep(150);
    await dead.close();
    const swept: Ended[] = [];
    await holds.close();
    holds = open("me", (ended) => swept.push(...ended));
    expect(await holds.sweep()).toBe(0);
    await sleep(400);
    // Seen dead once: it might be the database that stood still.
    expect(await holds.sweep()).toBe(0);
    expect(await holds.sweep()).toBe(1);
    expect(swept).toMatchObject([{ state: "expired", charged: 130n }]);
    expect(await balance()).toEqual({ debits: 130, pending: 0 });
  });

  test("holds of a process that is there are left alone, whatever their deadline says", async () => {
    const other = open("other");
    await other.begin("a");
    await ledger.run(reserve("a", "other"));
    for (let look = 0; look < 5; look++) {
      await sleep(60);
      expect(await holds.sweep()).toBe(0);
    }
    expect(await stateOf("a")).toBe("open");
    await ledger.run({ type: "void", id: "a", at: 9_000 });
    other.end("a");
    await other.close();
  });

  test("a hold of its own that it has forgotten is ended after its deadline", async () => {
    await ledger.run(reserve("lost", "me"));
    await holds.begin("kept");
    await ledger.run(reserve("kept", "me"));
    expect(await holds.sweep()).toBe(1);
    expect(await stateOf("lost")).toBe("expired");
    expect(await stateOf("kept")).toBe("open");
    await ledger.run({ type: "void", id: "kept", at: 9_000 });
    holds.end("kept");
  });

  test("a fault of one command fails that one alone", async () => {
    const broken = { ...reserve("broken", "me"), lines: undefined } as unknown as Reserve;
    const [good, bad] = await Promise.allSettled([
      ledger.run(reserve("good", "me")),
      ledger.run(broken),
    ]);
    expect(good.status).toBe("fulfilled");
    expect(bad).toMatchObject({
      status: "rejected",
      reason: { failure: { code: "store_unavailable" } },
    });
    await ledger.run({ type: "void", id: "good", at: 9_000 });
  });

  test("a fault among commands that come one after the other fails that one alone", async () => {
    const patient = openLedger({ store: ledgerStore });
    const broken = { ...reserve("broken", "me"), lines: undefined } as unknown as Reserve;
    const names = Array.from({ length: 30 }, (_none, at) => `r${at}`);
    const replies: Promise<unknown>[] = [];
    for (const [at, id] of names.entries()) {
      if (at % 10 === 5) replies.push(patient.run({ ...broken, id }));
      else replies.push(patient.run(reserve(id, "me")));
      await immediate();
    }
    const told = await Promise.allSettled(replies);
    expect(told.map(({ status }) => status)).toEqual(
      names.map((_id, at) => (at % 10 === 5 ? "rejected" : "fulfilled")),
    );
    const held = names.filter((_id, at) => at % 10 !== 5);
    const voided = held.map((id) => patient.run({ type: "void", id, at: 9_000 }));
    expect((await Promise.all(voided)).map(({ state }) => state)).toEqual(held.map(() => "voided"));
    expect(await balance()).toEqual({ debits: 0, pending: 0 });
  });

  test("what the schema refuses fails by itself, whoever came with it", async () => {
    const post = (id: string, at = 1_000) =>
      ledger.run({
        type: "post",
        id,
        at,
        kind: "deposit",
        debitAccount: "payments",
        creditAccount: "wallet:org_1",
        amount: 5n,
        organizationId: "org_1",
      });
    const nonce = { kind: "nonce", nonce: null as unknown as string, expiresAt: 1 } as const;
    const replies = await Promise.allSettled([
      post("one"),
      post("half", 1.5),
      post("two"),
      ledger.run({ ...reserve("none", "me"), uses: [nonce] }),
      post("three"),
    ]);
    const told = replies.map(({ status }) => status);
    expect(told).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
  });

  test("books that were tampered with are found", async () => {
    await ledger.run(reserve("a", "me"));
    const tamper = (pending: number) =>
      store.core
        .updateTable("ledger_accounts")
        .set({ pending })
        .where("id", "=", "wallet:org_1")
        .execute();
    await tamper(7);
    expect(await checkInvariants(store.core)).toMatchObject([
      { rule: "what is pending is what open holds hold", subject: "account wallet:org_1" },
    ]);
    await tamper(500);
    await ledger.run({
      type: "settle",
      id: "a",
      at: 9_000,
      organizationId: "org_1",
      charge: charge(150n),
      held: true,
    });
    await store.core
      .updateTable("ledger_accounts")
      .set({ debits: 1 })
      .where("id", "=", "wallet:org_1")
      .execute();
    await store.core.updateTable("holds").set({ charged: 99 }).where("id", "=", "a").execute();
    const rules = (await checkInvariants(store.core)).map(({ rule }) => rule);
    expect(rules).toEqual([
      "debits equal credits",
      "a balance is its transfers",
      "a request is charged once, as its hold says",
    ]);
    await store.core
      .updateTable("ledger_accounts")
      .set({ debits: 150 })
      .where("id", "=", "wallet:org_1")
      .execute();
    await store.core.updateTable("holds").set({ charged: 150 }).where("id", "=", "a").execute();
  });
});
