import { setTimeout as pause } from "node:timers/promises";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { openStore, type Store } from "#store/store.ts";
import { json } from "#test/fake-upstream.ts";
import { directoryRead, setBudget } from "#test/govern.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

const HOUR = 3_600_000;
const COST = 10 * 150 + 5 * 600;
const whole = json({
  id: "x",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

let gateway: TestGateway;
let store: Store;
beforeEach(async () => {
  // The wall clock alone: timers go on as they are, as when a machine's clock is set.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  gateway = await startGateway();
  store = await openStore({ home: gateway.home });
});
afterEach(async () => {
  expect(await checkInvariants(store.core)).toEqual([]);
  await store.close();
  await gateway.close();
  vi.useRealTimers();
});

const ask = (): Promise<Response> =>
  gateway.post("/v1/chat/completions", {
    model: "openai/gpt-4o-mini",
    max_tokens: 5,
    messages: [{ role: "user", content: "x" }],
  });
const used = async (): Promise<number> => {
  const rows = await store.core.selectFrom("budget_counters").select(["used", "pending"]).execute();
  expect(rows.every(({ pending }) => Number(pending) === 0)).toBe(true);
  return rows.reduce((sum, row) => sum + Number(row.used), 0);
};

test.for([
  ["forward by a day", 24 * HOUR],
  ["back by a day", -24 * HOUR],
  ["back by a year", -365 * 24 * HOUR],
] as const)("a clock that is set %s while requests are under way", async ([, jump]) => {
  await setBudget(store, { id: "bud_1", limit: 1_000_000n });
  await directoryRead(store, gateway);
  gateway.upstream.answer(async (request, response) => {
    await pause(150);
    await whole(request, response);
  });
  const under = [ask(), ask(), ask()];
  await pause(50);
  vi.setSystemTime(Date.now() + jump);
  const answers = await Promise.all([...under, ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  await expect.poll(used, { timeout: 5_000 }).toBe(5 * COST);
  const charges = await store.core
    .selectFrom("ledger_transfers")
    .select("id")
    .where("kind", "=", "charge")
    .execute();
  expect(charges).toHaveLength(5);
  const open = await store.core
    .selectFrom("holds")
    .select("id")
    .where("state", "=", "open")
    .execute();
  expect(open).toEqual([]);
});
