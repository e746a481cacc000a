import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  listFeedbackTimes,
  listPosteriors,
  replaceFeedback,
  writePosterior,
  type FeedbackRow,
} from "#store/feedback.ts";
import { openStore, type Store } from "#store/store.ts";

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "turnpike-feedback-"));
  store = await openStore({ home: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const row = (rest: Partial<FeedbackRow>): FeedbackRow => ({
  request_id: "req_1",
  key_id: "key_1",
  organization: "default",
  created_at: 1,
  score: 1,
  task_class: "translation",
  model: "m",
  comment: null,
  encryption_key: null,
  ...rest,
});

describe("replaceFeedback", () => {
  test("of many that come at once, each sees the one before it", async () => {
    const scores = Array.from({ length: 50 }, (_, at) => at / 50);
    const before = await Promise.all(
      scores.map((score) => replaceFeedback(store.records, row({ score }))),
    );
    expect(before.map((one) => one?.score)).toEqual([undefined, ...scores.slice(0, -1)]);
  });
});

describe("listFeedbackTimes", () => {
  test("gives those with a class since a time, oldest first", async () => {
    await replaceFeedback(store.records, row({ request_id: "a", created_at: 30 }));
    await replaceFeedback(store.records, row({ request_id: "b", created_at: 20 }));
    await replaceFeedback(store.records, row({ request_id: "c", created_at: 10 }));
    await replaceFeedback(
      store.records,
      row({ request_id: "d", created_at: 40, task_class: null }),
    );
    const times = await listFeedbackTimes(store.records, 20);
    expect(times.map(({ createdAt }) => createdAt)).toEqual([20, 30]);
  });
});

describe("writePosterior", () => {
  test("replaces what was known of the model in the class", async () => {
    const posterior = {
      organization: "o",
      task_class: "c",
      model: "m",
      good: 1,
      bad: 2,
      signalled: 0.5,
    };
    await writePosterior(store.records, { ...posterior, updated_at: 1 });
    await writePosterior(store.records, { ...posterior, good: 3, updated_at: 2 });
    await writePosterior(store.records, { ...posterior, model: "other", updated_at: 1 });
    expect(await listPosteriors(store.records)).toEqual([
      { ...posterior, good: 3, updated_at: 2 },
      { ...posterior, model: "other", updated_at: 1 },
    ]);
  });
});
