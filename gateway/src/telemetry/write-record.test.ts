import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import { ROLLUP_SUMS } from "#store/tables/record-tables.ts";
import { rebuildRollups } from "#telemetry/rebuild-rollups.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { requestRecord } from "#test/request-record.ts";

const DAY_MS = 86_400_000;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;

describeOnEach("createRecordWriter", (make) => {
  let database: TestDatabase;
  let store: Store;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const rollups = () =>
    store.records
      .selectFrom("usage_rollups")
      .selectAll()
      .orderBy("organization_id")
      .orderBy("dimension")
      .orderBy("grain")
      .orderBy("bucket")
      .orderBy("value")
      .execute();

  const sums = async (dimension: string) => {
    const rows = await rollups();
    return rows.filter((row) => row.dimension === dimension && row.grain === "day");
  };

  test("a record and its sums are there together once it resolves", async () => {
    const write = createRecordWriter(store.records);
    const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 4 };
    await write(
      requestRecord("req_1", {
        startedAt: NOON,
        usage,
        tags: ["red", "red", "blue"],
        endUser: "ann",
        taskClass: "code-writing",
        chargeNanoUsd: 2_000_000_000n,
        baselineNanoUsd: 3_000_000_000n,
        firstContentMs: 600,
      }),
    );
    const [total] = await sums("total");
    expect(total).toMatchObject({
      organization_id: "org_default",
      bucket: 20_000 * DAY_MS,
      requests: 1,
      failed: 0,
      input_tokens: 10,
      output_tokens: 5,
      cache_read_tokens: 4,
      cost_nano_usd: 1_500_000_001,
      charge_nano_usd: 2_000_000_000,
      baseline_nano_usd: 3_000_000_000,
      first_500: 0,
      first_1000: 1,
      first_us: 600_000,
    });
    expect((await sums("tag")).map(({ value }) => value)).toEqual(["blue", "red"]);
    expect((await sums("key+model")).map(({ value }) => value)).toEqual(["key_1/demo-echo"]);
    expect(await sums("team")).toEqual([]);
    const tags = await store.records
      .selectFrom("request_tags")
      .selectAll()
      .orderBy("tag")
      .execute();
    expect(tags.map(({ tag, request_id }) => [tag, request_id])).toEqual([
      ["blue", "req_1"],
      ["red", "req_1"],
    ]);
  });

  test("five hundred at once are all there, in sums of them all", async () => {
    const write = createRecordWriter(store.records);
    const all = Array.from({ length: 500 }, (_, at) =>
      write(requestRecord(`req_${at}`, { startedAt: NOON })),
    );
    await Promise.all(all);
    const [total] = await sums("total");
    expect(total).toMatchObject({ requests: 500, cost_nano_usd: 750_000_000_500 });
    const { count } = await store.records
      .selectFrom("request_records")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    expect(count).toBe(500);
  });

  test("one that cannot be stored takes no other with it, and leaves no sum", async () => {
    const write = createRecordWriter(store.records);
    const wrong = requestRecord("req_bad", { startedAt: NOON, lossNanoUsd: -1n });
    const results = await Promise.allSettled([
      write(requestRecord("req_1", { startedAt: NOON })),
      write(wrong),
      write(requestRecord("req_2", { startedAt: NOON })),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await sums("total"))[0]).toMatchObject({ requests: 2, loss_nano_usd: 0 });
  });

  test("a request is on record once", async () => {
    const write = createRecordWriter(store.records);
    await write(requestRecord("req_1", { startedAt: NOON }));
    await expect(write(requestRecord("req_1", { startedAt: NOON }))).rejects.toThrow(
      /data store failed/,
    );
    expect((await sums("total"))[0]).toMatchObject({ requests: 1 });
  });

  test("a caller's NUL does not keep a record from being stored", async () => {
    const write = createRecordWriter(store.records);
    const named = {
      startedAt: NOON,
      endUser: "a\0b",
      modelAsked: "\0",
      tags: ["\0"],
      sessionId: "\0",
    };
    await write(requestRecord("req_1", named));
    expect((await sums("user")).map(({ value }) => value)).toEqual(["a\uFFFDb"]);
  });

  test("names that callers make up are counted apart up to a bound, also after a restart", async () => {
    const named = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) =>
        requestRecord(`req_${from + at}`, { startedAt: NOON, endUser: `user ${from + at}` }),
      );
    const write = createRecordWriter(store.records);
    await Promise.all(named(0, 990).map(write));
    const afterRestart = createRecordWriter(store.records);
    await Promise.all(named(990, 1_050).map(afterRestart));
    await afterRestart(requestRecord("req_known", { startedAt: NOON, endUser: "user 3" }));
    const users = await sums("user");
    expect(users.length).toBe(1_001);
    expect(users.find(({ value }) => value === "(other)")?.requests).toBe(50);
    expect(users.find(({ value }) => value === "user 3")?.requests).toBe(2);
  });

  test("sums made anew from the records are those that were kept all along", async () => {
    const runs = 8;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(recordFacts, { minLength: 1, maxLength: 60 }), async (facts) => {
        run += 1;
        await store.records.deleteFrom("usage_rollups").execute();
        await store.records.deleteFrom("request_records").execute();
        const write = createRecordWriter(store.records);
        const half = Math.floor(facts.length / 2);
        const records = facts.map((one, at) => requestRecord(`req_${run}_${at}`, one));
        await Promise.all(records.slice(0, half).map(write));
        await Promise.all(records.slice(half).map(write));
        const live = await rollups();
        const requests = live.filter(
          ({ dimension, grain }) => dimension === "total" && grain === "day",
        );
        expect(requests.reduce((sum, row) => sum + Number(row.requests), 0)).toBe(facts.length);
        await rebuildRollups(store.records, { since: 0, until: NOON + 10 * DAY_MS });
        expect(await rollups()).toEqual(live);
      }),
      { numRuns: runs },
    );
  });

  test("days whose records were deleted keep their sums when the others are made anew", async () => {
    const write = createRecordWriter(store.records);
    await write(requestRecord("req_old", { startedAt: NOON - 5 * DAY_MS }));
    await write(requestRecord("req_new", { startedAt: NOON }));
    const live = await rollups();
    await store.records.deleteFrom("request_records").where("id", "=", "req_old").execute();
    const deleted_before = 20_000 * DAY_MS - 2 * DAY_MS;
    await store.records
      .insertInto("record_deletions")
      .values({ organization_id: "org_default", deleted_before })
      .execute();
    await rebuildRollups(store.records, { since: 0, until: NOON + DAY_MS });
    expect(await rollups()).toEqual(live);
  });

  test("two gateways add to the same sums at once", async () => {
    const other = await database.open();
    try {
      const writers = [createRecordWriter(store.records), createRecordWriter(other.records)];
      const writerOf = (at: number) => writers[at % 2] as (typeof writers)[0];
      const all = Array.from({ length: 200 }, (_, at) =>
        writerOf(at)(requestRecord(`req_${at}`, { startedAt: NOON, modelUsed: `m${at % 7}` })),
      );
      await Promise.all(all);
    } finally {
      await other.close();
    }
    expect((await sums("total"))[0]).toMatchObject({ requests: 200 });
    expect((await sums("model")).reduce((sum, row) => sum + Number(row.requests), 0)).toBe(200);
  });
});

const money = fc.bigInt({ min: 0n, max: 10n ** 13n });
const recordFacts: fc.Arbitrary<Partial<RequestRecord>> = fc.record({
  startedAt: fc.integer({ min: NOON - 2 * DAY_MS, max: NOON + 2 * DAY_MS }),
  organizationId: fc.constantFrom("org_default", "org_2"),
  teamId: fc.constantFrom(null, "team_1"),
  modelUsed: fc.constantFrom(null, "a", "b/c"),
  endUser: fc.option(fc.string({ maxLength: 5 }), { nil: null }),
  tags: fc.array(fc.constantFrom("x", "y", "z"), { maxLength: 3 }),
  taskClass: fc.constantFrom(null, "code-writing"),
  failure: fc.constantFrom(null, "internal" as const),
  costNanoUsd: fc.option(money, { nil: null }),
  chargeNanoUsd: fc.option(money, { nil: null }),
  baselineNanoUsd: fc.option(money, { nil: null }),
  providerReportedNanoUsd: fc.option(money, { nil: null }),
  cacheSavedNanoUsd: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }),
  lossNanoUsd: money,
  totalMs: fc.double({ min: 0, max: 900_000, noNaN: true }),
  firstContentMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true }), { nil: null }),
  usage: fc.option(
    fc.record({
      inputTokens: fc.nat(),
      outputTokens: fc.nat(),
      cacheReadTokens: fc.nat(1_000),
      estimated: fc.boolean(),
    }),
    { nil: null },
  ),
});

test("the sums that are kept are columns of the table", () => {
  expect(new Set(ROLLUP_SUMS).size).toBe(ROLLUP_SUMS.length);
});
