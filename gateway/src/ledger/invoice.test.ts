import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { chargeMemo } from "#ledger/charge-memo.ts";
import { createCredits, creditBalance, type Credits } from "#ledger/credits.ts";
import { invoiceOf } from "#ledger/invoice.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { requestRecord } from "#test/request-record.ts";

const START = Date.UTC(2026, 10, 1);
const END = Date.UTC(2026, 11, 1);

describeOnEach("invoices", (make) => {
  let database: TestDatabase;
  let store: Store;
  let ledger: Ledger;
  let credits: Credits;
  let now = START;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledger = openLedger({ store: createLedgerStore(store) });
    credits = createCredits({ ledger, store, now: () => now });
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const charge = (
    id: string,
    { organizationId = "org_1", project = "proj_1", amount = 1n, memo = "" },
  ) =>
    ledger.run({
      type: "settle",
      id,
      at: now,
      organizationId,
      held: false,
      charge: {
        walletId: `wallet:${organizationId}`,
        projectId: project,
        chargeNanoUsd: amount,
        cost: { provider: "openai", nanoUsd: 5n },
        tokens: 1,
        ...(memo !== "" && { memo }),
        counters: [],
      },
    });
  const invoice = () => invoiceOf(store, { organizationId: "org_1", start: START, end: END });
  const balance = async () => (await creditBalance(store.core, "org_1")).balance;

  test("lines tell project, model and kind; the provider's cost is the operator's affair", async () => {
    const write = createRecordWriter(store.records);
    const attempt = { provider: "openai", model: "gpt-5.2", credential: "byok:cred_1" };
    await write(requestRecord("req_1", { modelUsed: "gpt-5.2" }));
    await write(
      requestRecord("req_2", { modelUsed: "gpt-5.2", attempts: [attempt] as unknown as [] }),
    );
    now = START - 1;
    await charge("req_before", { amount: 1_000n });
    now = START;
    await charge("req_1", { amount: 300n });
    await charge("req_2", { amount: 7n });
    await charge("req_3", { project: "proj_2", amount: 11n });
    await charge("req_other", { organizationId: "org_2", amount: 900n });
    await credits.refund({
      organizationId: "org_1",
      requestId: "req_1",
      amount: 50n,
      idempotencyKey: "r",
    });
    const correction = { organizationId: "org_1", amount: 5n, idempotencyKey: "c" };
    await credits.adjust({ ...correction, direction: "up" });
    now = END - 1;
    await credits.grant({ organizationId: "org_1", amount: 100n, idempotencyKey: "g" });
    now = END;
    await charge("req_after", { amount: 2_000n });
    const of = { projectId: "proj_1", model: "gpt-5.2" };
    expect(await invoice()).toEqual({
      total: 163n,
      lines: [
        { kind: "adjustment", projectId: null, model: null, requests: 0, amount: -5n },
        { kind: "grant", projectId: null, model: null, requests: 0, amount: -100n },
        { ...of, kind: "charge", requests: 1, amount: 300n },
        { ...of, kind: "fee", requests: 1, amount: 7n },
        { ...of, kind: "refund", requests: 0, amount: -50n },
        { kind: "charge", projectId: "proj_2", model: null, requests: 1, amount: 11n },
      ],
    });
  });

  test("is whole without any record: charges say themselves what answered", async () => {
    now = START - 1;
    await charge("req_0", { amount: 100n, memo: chargeMemo("gpt-5.2", false) });
    now = START;
    await charge("req_1", { amount: 300n, memo: chargeMemo("gpt-5.2", false) });
    await charge("req_2", { amount: 7n, memo: chargeMemo("gpt-5.2", true) });
    await charge("req_3", { amount: 11n });
    // Of a request of the month before.
    const refund = { organizationId: "org_1", requestId: "req_0", idempotencyKey: "r" };
    await credits.refund({ ...refund, amount: 50n });
    const of = { projectId: "proj_1", model: "gpt-5.2" };
    expect(await invoice()).toEqual({
      total: 268n,
      lines: [
        { ...of, model: null, kind: "charge", requests: 1, amount: 11n },
        { ...of, kind: "charge", requests: 1, amount: 300n },
        { ...of, kind: "fee", requests: 1, amount: 7n },
        { ...of, kind: "refund", requests: 0, amount: -50n },
      ],
    });
  });

  test("a charge that nobody settled has its model, too", async () => {
    const fallback = {
      walletId: "wallet:org_1",
      projectId: "proj_1",
      chargeNanoUsd: 40n,
      tokens: 1,
      memo: chargeMemo("gpt-5.2", false),
      counters: [],
    };
    now = START;
    await credits.grant({ organizationId: "org_1", amount: 100n, idempotencyKey: "g" });
    await ledger.run({
      type: "reserve",
      id: "req_1",
      at: now,
      organizationId: "org_1",
      owner: "a gateway",
      deadline: now + 1,
      wallet: { id: "wallet:org_1", lowest: 0n },
      counters: [],
      lines: [{ basePicoUsd: 50_000n, outputPicoUsd: 0n, inputTokens: 1 }],
      answers: 1,
      wantedTokens: 1,
      leastTokens: 1,
      fallback,
    });
    await ledger.run({ type: "meter", id: "req_1", deliveredTokens: 1, fallback });
    await ledger.run({ type: "expire", id: "req_1", at: now });
    const charged = (await invoice()).lines.filter(({ kind }) => kind === "charge");
    expect(charged).toEqual([
      { kind: "charge", projectId: "proj_1", model: "gpt-5.2", requests: 1, amount: 40n },
    ]);
  });

  test("whatever is booked in a month, the total is what the wallet has lost in it", async () => {
    const amounts = fc.bigInt({ min: 1n, max: 10n ** 15n });
    const bookings = fc.array(fc.tuple(fc.nat(3), amounts), { minLength: 1, maxLength: 30 });
    let made = 0;
    await fc.assert(
      fc.asyncProperty(bookings, async (list) => {
        now = START;
        const [before, owed] = [await balance(), (await invoice()).total];
        for (const [what, amount] of list) {
          const id = `n${made++}`;
          const booking = { organizationId: "org_1", amount, idempotencyKey: id };
          if (what === 0) await credits.grant(booking);
          else if (what === 1) await credits.adjust({ ...booking, direction: "down" });
          else await charge(`req_${id}`, { project: `proj_${what}`, amount });
        }
        const { lines, total } = await invoice();
        expect(total - owed).toBe(before - (await balance()));
        expect(lines.reduce((sum, { amount }) => sum + amount, 0n)).toBe(total);
      }),
      { numRuns: 8 },
    );
  });

  test("more transfers than a page are all counted", async () => {
    const ids = Array.from({ length: 1_203 }, (_, at) => `req_${at}`);
    now = START;
    await Promise.all(ids.map((id) => charge(id, { amount: 3n })));
    expect(await invoice()).toMatchObject({ total: 3_609n, lines: [{ requests: 1_203 }] });
  });
});
