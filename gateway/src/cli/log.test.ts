import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "#store/store.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";
import { requestRecord as record } from "#test/request-record.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

async function write(...records: RequestRecord[]): Promise<void> {
  const store = await openStore({ home: join(cli.folder, "data") });
  const writeRecord = createRecordWriter(store.records);
  for (const each of records) await writeRecord(each);
  await store.close();
}

test("the log shows the newest first, filtered, and goes on where a page ends", async () => {
  await write(
    record("req_a", { startedAt: 1_000, failure: "rate_limited", status: 429 }),
    record("req_b", { startedAt: 2_000 }),
    record("req_c", { startedAt: 3_000, endUser: "ann" }),
  );
  const text = await cli.run("log", "--limit", "2");
  expect(text).toMatch(/req_c[^]*req_b[^]*More: --cursor \S+/);
  const cursor = /--cursor (\S+)/.exec(text)?.[1] ?? "";
  expect(await cli.run("log", "--limit", "2", "--cursor", cursor)).toMatch(
    /req_a.*429 rate_limited/,
  );
  expect(await cli.run("log", "--user", "ann", "--json")).toContain('"req_c"');
  expect(await cli.run("log", "--failed")).not.toContain("req_b");
  expect(await cli.run("log", "--user", "bob")).toBe("No requests.");
});

test("the log is written to a file as CSV, never over another one", async () => {
  await write(record("req_a", {}), record("req_b", {}));
  const file = join(cli.folder, "log.csv");
  await cli.run("log", "--csv", file);
  expect(readFileSync(file, "utf8").split("\r\n").length).toBe(4);
  expect(await cli.fails("log", "--csv", file)).toMatch(/cannot write/);
});

test("a request and a session are told step by step", async () => {
  await write(
    record("req_a", { conversation: "s1", sessionId: "s1" }),
    record("req_b", { conversation: "s1", sessionId: "s1", inToolLoop: true }),
  );
  expect(await cli.run("trace", "req_a")).toMatch(/0 ms +request +model=auto[^]*end +status=200/);
  expect(await cli.run("trace", "s1")).toMatch(
    /s1: 2 requests, 0 failed, \$3\.000000002[^]*turn 1/,
  );
  expect(await cli.fails("trace", "req_x")).toMatch(/no request or session "req_x"/);
});

test("reports are shown, exported and made anew", async () => {
  await write(record("req_a", { taskClass: "code-writing" }));
  expect(await cli.run("reports", "show")).toMatch(/demo-echo +1 +0/);
  expect(await cli.run("reports", "show", "--by", "task", "--csv")).toMatch(/^day,task,requests/);
  expect(await cli.fails("reports", "show", "--by", "colour")).toMatch(
    /--by takes hour, day, total/,
  );
  const store = await openStore({ home: join(cli.folder, "data") });
  await store.records.deleteFrom("usage_rollups").execute();
  await store.close();
  expect(await cli.run("reports", "show")).toBe("No requests.");
  expect(await cli.run("reports", "rebuild")).toBe("Made anew: 1 day.");
  expect(await cli.run("reports", "show")).toMatch(/demo-echo +1 +0/);
  expect(await cli.run("usage", "--by", "task")).toMatch(/code-writing +1/);
});
