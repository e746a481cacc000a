import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openLearner, type Learner } from "#pipeline/learner.ts";
import { explores } from "#routing/learning/explore.ts";
import { replaceFeedback } from "#store/feedback.ts";
import { openStore, type Store } from "#store/store.ts";
import { createLog } from "#telemetry/log.ts";

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "turnpike-learner-"));
  store = await openStore({ home: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const NOW = 1_800_000_000_000;
const SUBJECT = { organization: "default", taskClass: "translation", modelId: "judged" };

const open = (settings = { enabled: true, explore: true }): Promise<Learner> =>
  openLearner({
    records: store.records,
    now: () => NOW,
    settings: () => settings,
    log: createLog("silent"),
  });

async function judge(learner: Learner, times: number): Promise<void> {
  for (let at = 0; at < times; at++)
    await learner.score(SUBJECT, { score: 1, at: NOW, keyId: "k" });
}

const EXPLORING = Array.from({ length: 1_000 }, (_, at) => at).find(explores) ?? -1;

const evidence = (learner: Learner, seed?: number) =>
  learner.evidence("default", seed).evidenceOf?.("translation", "untried");

describe("evidence", () => {
  test("explores only where a hundred answers were judged, and only at its seeds", async () => {
    const learner = await open();
    await judge(learner, 99);
    expect(evidence(learner, EXPLORING)).toBeUndefined();
    await judge(learner, 1);
    expect(evidence(learner, EXPLORING)).toMatchObject({ explored: true });
    expect(evidence(learner, EXPLORING + 1)).toBeUndefined();
    expect(evidence(learner), "explanations do not explore").toBeUndefined();
  });

  test("does not explore where the policy says so", async () => {
    const learner = await open({ enabled: true, explore: false });
    await judge(learner, 200);
    expect(evidence(learner, EXPLORING)).toBeUndefined();
  });

  test("is nothing where learning is off", async () => {
    const learner = await open({ enabled: false, explore: true });
    expect(learner.evidence("default", EXPLORING)).toEqual({});
    expect(learner.isEnabled()).toBe(false);
  });

  test("is another organization's own", async () => {
    const learner = await open();
    await judge(learner, 1);
    expect(learner.evidence("default").evidenceOf?.("translation", "judged")).toBeDefined();
    expect(learner.evidence("other").evidenceOf?.("translation", "judged")).toBeUndefined();
  });

  test("is bounded for one key among several, after a restart too", async () => {
    const learner = await open();
    const say = async (keyId: string, score: number, requestId: string): Promise<void> => {
      await replaceFeedback(store.records, {
        request_id: requestId,
        key_id: keyId,
        organization: SUBJECT.organization,
        created_at: NOW,
        score,
        task_class: SUBJECT.taskClass,
        model: SUBJECT.modelId,
        comment: null,
        encryption_key: null,
      });
      await learner.score(SUBJECT, { score, at: NOW, keyId });
    };
    for (let at = 0; at < 21; at++) await say("loud", -1, `loud-${at}`);
    await say("other", 1, "other-0");
    const look = (from: Learner) => from.evidence("default").evidenceOf?.("translation", "judged");
    expect(look(learner)).toEqual({ good: 1, bad: 5 });
    expect(look(await open())).toEqual({ good: 1, bad: 5 });
  });

  test("is the same after a restart", async () => {
    const learner = await open();
    await judge(learner, 7);
    const look = (from: Learner) => from.evidence("default").evidenceOf?.("translation", "judged");
    expect(look(await open())).toEqual(look(learner));
    expect(look(learner)).toEqual({ good: 7, bad: 0 });
  });
});
