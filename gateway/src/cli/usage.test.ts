import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "#store/store.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
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

test("sums by model, the unpriced said apart", async () => {
  await write(
    record("a", {}),
    record("b", {}),
    record("c", {
      modelUsed: "other",
      costNanoUsd: null,
      costReason: "unknown",
      failure: "internal",
    }),
    record("d", { startedAt: Date.now() - 2 * 86_400_000 }),
  );
  const text = await cli.run("usage");
  expect(text).toMatch(/demo-echo +2 +0 +0 +0 +\$3\.000001/);
  expect(text).toMatch(/other +1 +1 +0 +0 +\?$/m);
  expect(text).toMatch(/total +3 +1/);
  expect(text).toContain("1 request has no known cost and is not in the sums: other");
  const { rows } = JSON.parse(await cli.run("usage", "--json")) as { rows: object[] };
  expect(rows).toContainEqual(expect.objectContaining({ group: "other", costNanoUsd: null }));
  expect(await cli.run("usage", "--since", "7d")).toMatch(/demo-echo +3/);
  expect(await cli.run("usage", "--by", "provider")).toMatch(/demo +3/);
});

test("the row of requests that reached nobody is explained", async () => {
  await write(record("a", { modelUsed: null, failure: "unknown_model", costNanoUsd: 0n }));
  expect(await cli.run("usage")).toMatch(/^- +1 +1 .*\$0\.000000\n.*\n- {2}failed before a model/m);
});

test("groups of keys have the keys' names", async () => {
  const { id } = JSON.parse(await cli.run("keys", "create", "--name", "ci", "--json")) as {
    id: string;
  };
  await write(record("a", { keyId: id }));
  const json = JSON.parse(await cli.run("usage", "--by", "key", "--json")) as {
    rows: { group: string; costNanoUsd: number }[];
  };
  expect(json.rows).toMatchObject([{ group: "ci", requests: 1, costNanoUsd: 1_500_000_001 }]);
});

test("an empty store is said", async () => {
  expect(await cli.run("usage")).toMatch(/^No requests/);
});

test.each([
  [["--since", "yesterday"], /"yesterday" is not a time/],
  [["--by", "colour"], /--by takes model, provider, key, project/],
])("refuses %s", async (args, expected) => {
  expect(await cli.fails("usage", ...args)).toMatch(expected);
});
