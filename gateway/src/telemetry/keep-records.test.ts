import { afterEach, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import { keepRecords } from "#telemetry/keep-records.ts";
import { rebuildRollups } from "#telemetry/rebuild-rollups.ts";
import { spendReport } from "#telemetry/reports.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { requestRecord } from "#test/request-record.ts";

const DAY_MS = 86_400_000;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;

describeOnEach("keepRecords", (make) => {
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

  test("records older than an organization keeps are gone with their tags, its sums and all others stay", async () => {
    const write = createRecordWriter(store.records);
    const records = [
      ...Array.from({ length: 450 }, (_, at) =>
        requestRecord(`old_${at}`, { startedAt: NOON - 10 * DAY_MS - at, tags: ["x"] }),
      ),
      requestRecord("edge", { startedAt: 20_000 * DAY_MS - 7 * DAY_MS, tags: ["x"] }),
      requestRecord("new", { startedAt: NOON, tags: ["x"] }),
      requestRecord("foreign", { startedAt: NOON - 10 * DAY_MS, organizationId: "org_2" }),
    ];
    await Promise.all(records.map(write));
    const range = { organizationId: "org_default", from: NOON - 30 * DAY_MS, to: NOON };
    const before = await spendReport(store.records, { ...range, by: "day" });
    const retentions = [{ organizationId: "org_default", recordDays: 7 }];
    await keepRecords(store.records, { now: NOON, retentions, isStopped: () => false });
    const left = await store.records.selectFrom("request_records").select("id").execute();
    expect(left.map(({ id }) => id).toSorted()).toEqual(["edge", "foreign", "new"]);
    const tags = await store.records.selectFrom("request_tags").select("request_id").execute();
    expect(tags.map(({ request_id }) => request_id).toSorted()).toEqual(["edge", "new"]);
    expect(await spendReport(store.records, { ...range, by: "day" })).toEqual(before);
    await rebuildRollups(store.records, { since: 0, until: NOON + DAY_MS });
    expect(await spendReport(store.records, { ...range, by: "day" })).toEqual(before);
  });
});
