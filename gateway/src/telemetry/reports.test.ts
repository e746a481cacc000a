import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { JsonObject } from "#lib/json.ts";
import type { Store } from "#store/store.ts";
import { csvLine } from "#telemetry/csv.ts";
import { logCsv, requestLog, type LogQuery } from "#telemetry/request-log.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import { spendCsv, spendReport } from "#telemetry/reports.ts";
import { requestTrace, sessionTrace } from "#telemetry/trace.ts";
import { DIMENSIONS } from "#telemetry/rollup-rows.ts";
import { rebuildRollups } from "#telemetry/rebuild-rollups.ts";
import { foldRollups } from "#store/fold-rollups.ts";
import { listFolded } from "#store/rollup-periods.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { requestRecord } from "#test/request-record.ts";

const DAY_MS = 86_400_000;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;
const USD = 1_000_000_000n;

describeOnEach("reports", (make) => {
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

  const write = async (...records: RequestRecord[]): Promise<void> => {
    await Promise.all(records.map(createRecordWriter(store.records)));
  };
  const range = { organizationId: "org_default", from: NOON, to: NOON };
  const data = (body: JsonObject) => body["data"] as JsonObject[];

  test("spend by model between two days, the dearest first, with the sum of all", async () => {
    await write(
      requestRecord("a", { startedAt: NOON, modelUsed: "dear", chargeNanoUsd: 5n * USD }),
      requestRecord("b", { startedAt: NOON, modelUsed: "cheap", chargeNanoUsd: 1n * USD }),
      requestRecord("c", { startedAt: NOON, modelUsed: "cheap", chargeNanoUsd: 2n * USD }),
      requestRecord("d", { startedAt: NOON - 3 * DAY_MS, modelUsed: "dear" }),
      requestRecord("e", { startedAt: NOON, organizationId: "org_2", modelUsed: "dear" }),
    );
    const report = await spendReport(store.records, { ...range, by: "model" });
    expect(report).toMatchObject({ from: "2024-10-04", to: "2024-10-04", time_zone: "UTC" });
    expect(data(report)).toMatchObject([
      { value: "dear", requests: 1, charge_usd: "5" },
      { value: "cheap", requests: 2, charge_usd: "3" },
    ]);
    expect(report["total"]).toMatchObject({ requests: 3, charge_usd: "8" });
  });

  test("pages of a report follow each other without gaps or repeats, also where sums are equal", async () => {
    const models = Array.from({ length: 25 }, (_, at) => `model ${at}`);
    await write(
      ...models.map((modelUsed, at) =>
        requestRecord(modelUsed, { startedAt: NOON, modelUsed, chargeNanoUsd: BigInt(at % 3) }),
      ),
    );
    const seen: unknown[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await spendReport(store.records, { ...range, by: "model", limit: 4, cursor });
      seen.push(...data(page).map(({ value }) => value));
      expect(page["total"]).toMatchObject({ requests: 25 });
      if (page["next_cursor"] === null) break;
      cursor = page["next_cursor"] as string;
    }
    expect(seen.length).toBe(25);
    expect(new Set(seen)).toEqual(new Set(models));
  });

  test("by day, of all or of one model; within a project by model", async () => {
    await write(
      requestRecord("a", { startedAt: NOON, modelUsed: "m/1", projectId: "proj_a" }),
      requestRecord("b", { startedAt: NOON - DAY_MS, modelUsed: "m/2", projectId: "proj_ab" }),
    );
    const days = { ...range, from: NOON - DAY_MS, by: "day" } as const;
    expect(data(await spendReport(store.records, days))).toMatchObject([
      { day: "2024-10-03", requests: 1 },
      { day: "2024-10-04", requests: 1 },
    ]);
    const hours = await spendReport(store.records, { ...days, by: "hour" });
    expect(data(hours)).toMatchObject([
      { hour: "2024-10-03T12:00:00.000Z", requests: 1 },
      { hour: "2024-10-04T12:00:00.000Z", requests: 1 },
    ]);
    const one = await spendReport(store.records, { ...days, of: "model", value: "m/1" });
    expect(data(one)).toMatchObject([{ day: "2024-10-04", requests: 1 }]);
    const within = { ...days, by: "model", within: { project: "proj_a" } } as const;
    const report = await spendReport(store.records, within);
    expect(data(report)).toMatchObject([{ value: "m/1" }]);
    expect(report["total"]).toMatchObject({ requests: 1 });
  });

  test("cache hits, savings, drift, errors and latency", async () => {
    await write(
      requestRecord("a", {
        startedAt: NOON,
        usage: { inputTokens: 100, outputTokens: 1, cacheReadTokens: 75 },
        cacheSavedNanoUsd: 2n * USD,
        costNanoUsd: 1n * USD,
        baselineNanoUsd: 4n * USD,
        providerReportedNanoUsd: 2n * USD,
        firstContentMs: 900,
        totalMs: 2_000,
      }),
      requestRecord("b", {
        startedAt: NOON,
        failure: "rate_limited",
        costNanoUsd: 0n,
        chargeNanoUsd: 0n,
        cacheSavedNanoUsd: -3n * USD,
        firstContentMs: null,
        totalMs: 1_000,
      }),
    );
    const { total } = await spendReport(store.records, { ...range, by: "provider+model" });
    expect(total).toMatchObject({
      error_rate: 0.5,
      cache_hit_rate: 0.75,
      cache_saved_usd: "-1",
      savings: { requests: 1, baseline_usd: "4", cost_usd: "1", saved_usd: "3", saved_share: 0.75 },
      drift: { requests: 1, reported_usd: "2", computed_usd: "1", difference_share: 1 },
      latency: { mean_ms: 1_500, first_content_mean_ms: 900, first_content_p95_at_most_ms: 1_000 },
    });
  });

  test("months and weeks that are summed up change no report, and are made anew with their days", async () => {
    const records = Array.from({ length: 120 }, (_, at) =>
      requestRecord(`req_${at}`, {
        startedAt: NOON - at * DAY_MS,
        modelUsed: `m${at % 3}`,
        projectId: `proj_${at % 2}`,
        keyId: `key_${at % 5}`,
        organizationId: at % 7 === 0 ? "org_2" : "org_default",
        chargeNanoUsd: BigInt(at),
      }),
    );
    await write(...records);
    const queries = [10, 45, 100, 119].flatMap((days) => {
      const from = NOON - days * DAY_MS;
      return [
        { ...range, from, by: "model" },
        { ...range, from, by: "day" },
        { ...range, from, to: NOON - 7 * DAY_MS, by: "key" },
        { ...range, from, by: "model", within: { project: "proj_1" } },
        { ...range, from, by: "day", of: "key", value: "key_1" },
        { ...range, from, by: "model", value: "m1" },
        { ...range, from, by: "model", organizationId: undefined, order: "requests", limit: 2 },
        { ...range, from: NOON - 30 * DAY_MS, to: NOON - days * 1e6, by: "project+model" },
      ] as const;
    });
    const reports = () => Promise.all(queries.map((query) => spendReport(store.records, query)));
    const before = await reports();
    await foldRollups(store.records, NOON, DIMENSIONS);
    const folded = await listFolded(store.records);
    expect([folded.month.length, folded.week.length]).toEqual([4, 17]);
    expect(await reports()).toEqual(before);
    await rebuildRollups(store.records, { since: NOON - 90 * DAY_MS, until: NOON + DAY_MS });
    expect(await reports()).toEqual(before);
    await foldRollups(store.records, NOON, DIMENSIONS);
    expect(await reports()).toEqual(before);
  });

  test.each([
    [{ from: NOON, to: NOON - 2 * DAY_MS }, /lies before/],
    [{ from: NOON - 500 * DAY_MS }, /at most 400 days/],
    [{ limit: 0 }, /from 1 to 500/],
    [{ limit: 1.5 }, /from 1 to 500/],
    [{ cursor: "nonsense" }, /not one that a page has given/],
  ])("what cannot be is refused: %j", async (wrong, message) => {
    await expect(spendReport(store.records, { ...range, by: "model", ...wrong })).rejects.toThrow(
      message,
    );
  });

  test("a report as CSV has a line for each day and value", async () => {
    await write(
      requestRecord("a", { startedAt: NOON, modelUsed: '=cmd|"x"' }),
      requestRecord("b", { startedAt: NOON - DAY_MS, modelUsed: "plain" }),
    );
    const text = await textOf(
      spendCsv(store.records, { ...range, from: NOON - DAY_MS, by: "model" }),
    );
    const lines = text.split("\r\n");
    expect(lines[0]).toMatch(/^day,model,requests,failed,/);
    expect(lines[1]).toMatch(/^2024-10-03,plain,1,0,/);
    expect(lines[2]).toMatch(/^2024-10-04,"'=cmd\|""x""",1,0,/);
    expect(lines[3]).toBe("");
  });

  test("the log's filters, alone and together, give what a search through all gives", async () => {
    const records = Array.from({ length: 300 }, (_, at) =>
      requestRecord(`req_${String(at).padStart(4, "0")}`, {
        startedAt: NOON + Math.floor(at / 3),
        organizationId: at % 11 === 0 ? "org_2" : "org_default",
        modelUsed: `m${at % 3}`,
        provider: `p${at % 2}`,
        keyId: `key_${at % 5}`,
        projectId: `proj_${at % 4}`,
        teamId: at % 2 === 0 ? "team_1" : null,
        endUser: at % 7 === 0 ? "ann" : null,
        taskClass: at % 5 === 0 ? "code-writing" : null,
        conversation: `conv_${at % 10}`,
        failure: at % 6 === 0 ? "rate_limited" : at % 17 === 0 ? "internal" : null,
        status: at % 6 === 0 ? 429 : 200,
        tags: at % 4 === 0 ? ["red"] : at % 9 === 0 ? ["blue", "red"] : [],
      }),
    );
    await write(...records);
    const option = <T>(values: readonly T[]) =>
      fc.option(fc.constantFrom(...values), { nil: undefined, freq: 1 });
    const filters = fc.record({
      organizationId: fc.constant("org_default"),
      model: option(["m1", "none"]),
      provider: option(["p0"]),
      keyId: option(["key_2"]),
      projectId: option(["proj_1"]),
      teamId: option(["team_1"]),
      endUser: option(["ann"]),
      taskClass: option(["code-writing"]),
      conversation: option(["conv_3"]),
      failed: option([true, false]),
      failure: option(["internal"]),
      status: option([429]),
      tag: option(["red", "blue"]),
      since: option([NOON + 20]),
      until: option([NOON + 80]),
    });
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 60 }), async (filter, limit) => {
        const expected = records
          .filter((record) => isIn(record, filter))
          .toSorted((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1))
          .map(({ id }) => id);
        const seen: unknown[] = [];
        for (let cursor: string | undefined; ;) {
          const page = await requestLog(store.records, { ...filter, limit, cursor });
          seen.push(...data(page).map(({ id }) => id));
          if (page["next_cursor"] === null) break;
          cursor = page["next_cursor"] as string;
        }
        expect(seen).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("the log as CSV has what the pages have", async () => {
    await write(
      requestRecord("a", { startedAt: NOON, endUser: "+49 30", tags: ["x", "y"] }),
      requestRecord("b", { startedAt: NOON + 1 }),
    );
    const lines = (await textOf(logCsv(store.records, { organizationId: "org_default" }))).split(
      "\r\n",
    );
    expect(lines.length).toBe(4);
    expect(lines[0]).toMatch(/^id,created_at,/);
    expect(lines[1]).toMatch(/^b,2024-10-04T12:00:00.001Z,org_default,/);
    expect(lines[2]).toMatch(/,'\+49 30,x y$/);
    const none = await textOf(logCsv(store.records, { organizationId: "org_3" }));
    expect(none).toBe(`${lines[0]}\r\n`);
  });

  test("a trace tells a request from its arrival to its end, to its own organization only", async () => {
    const attempt = {
      provider: "p",
      model: "m",
      lane: "native",
      credential: "default",
      reason: "cheapest",
      lossNanoUsd: null,
    } as const;
    await write(
      requestRecord("a", {
        startedAt: NOON,
        attempts: [
          { ...attempt, startedMs: 1.234, durationMs: 100, status: 429, failure: "rate_limited" },
          { ...attempt, startedMs: 101.5, durationMs: 50, status: 200, failure: null },
        ],
        decision: { needs: {}, chosen: "p/m@default", reason: "cheapest" },
        policy: { zeroRetention: true },
        firstContentMs: 151.5,
        totalMs: 300,
      }),
    );
    const trace = await requestTrace(store.records, "a", { organizationId: "org_default" });
    expect(trace).toMatchObject({
      id: "a",
      project_id: "proj_default",
      policy: { zeroRetention: true },
      timeline: [
        { at_ms: 0, step: "request", model: "auto" },
        { at_ms: 1.23, step: "route", chosen: "p/m@default", reason: "cheapest" },
        { at_ms: 1.23, step: "attempt", number: 1, status: 429, failure: "rate_limited" },
        { at_ms: 101.5, step: "attempt", number: 2, status: 200, took_ms: 50 },
        { at_ms: 151.5, step: "first-content" },
        { at_ms: 300, step: "end", status: 200 },
      ],
    });
    expect(await requestTrace(store.records, "a", { organizationId: "org_2" })).toBeUndefined();
    expect(await requestTrace(store.records, "b", {})).toBeUndefined();
  });

  test("a session's requests are told in turns, tool loops within them, with sums", async () => {
    const turn = (id: string, at: number, inToolLoop: boolean): RequestRecord =>
      requestRecord(id, {
        startedAt: NOON + at,
        conversation: "s1",
        sessionId: "s1",
        inToolLoop,
        chargeNanoUsd: USD,
        totalMs: 10,
      });
    await write(
      turn("a", 0, false),
      turn("b", 20, true),
      turn("c", 40, true),
      turn("d", 100, false),
      requestRecord("other", { startedAt: NOON, conversation: "s2" }),
      requestRecord("foreign", { startedAt: NOON, conversation: "s1", organizationId: "org_2" }),
    );
    const trace = await sessionTrace(store.records, "s1", { organizationId: "org_default" });
    expect(trace).toMatchObject({
      requests: 4,
      tool_loop_requests: 2,
      charge_usd: "4",
      has_more: false,
      next_cursor: null,
    });
    const turns = trace?.["turns"] as { requests: { id: string }[]; took_ms: number }[];
    expect(turns.map(({ requests }) => requests.map(({ id }) => id))).toEqual([
      ["a", "b", "c"],
      ["d"],
    ]);
    expect(turns[0]).toMatchObject({ charge_usd: "3", took_ms: 50 });
    expect(
      await sessionTrace(store.records, "s3", { organizationId: "org_default" }),
    ).toBeUndefined();
  });
});

function isIn(record: RequestRecord, filter: LogQuery): boolean {
  const { since = 0, until = Infinity, tag, failed } = filter;
  const wanted: readonly [unknown, unknown][] = [
    [filter.organizationId, record.organizationId],
    [filter.model, record.modelUsed],
    [filter.provider, record.provider],
    [filter.keyId, record.keyId],
    [filter.projectId, record.projectId],
    [filter.teamId, record.teamId],
    [filter.endUser, record.endUser],
    [filter.taskClass, record.taskClass],
    [filter.conversation, record.conversation],
    [filter.failure, record.failure],
    [filter.status, record.status],
  ];
  return (
    record.startedAt >= since &&
    record.startedAt < until &&
    (tag === undefined || record.tags.includes(tag)) &&
    (failed === undefined || failed === (record.failure !== null)) &&
    wanted.every(([asked, is]) => asked === undefined || asked === is)
  );
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

test("cells that a spreadsheet would compute are quoted off, others are as RFC 4180 has them", () => {
  expect(csvLine(["=1+1", "@x", "-5", "\tx", "a,b", 'say "x"', "line\nbreak", -5, 7n, null])).toBe(
    `'=1+1,'@x,'-5,'\tx,"a,b","say ""x""","line\nbreak",-5,7,\r\n`,
  );
});
