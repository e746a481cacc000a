import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { openStore } from "#store/store.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Script } from "#test/fake-upstream.ts";
import { directoryRead, setBudget } from "#test/govern.ts";
import { startGateway } from "#test/start-gateway.ts";

const COST = 2 * 150 + 3 * 600;
const event = (value: JsonObject): string =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", ...value })}\n\n`;
const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };

/** A word, a while, and the end. */
const slowly: Script = async (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(
    event({ choices: [{ index: 0, delta: { content: "word" }, finish_reason: null }] }),
  );
  await sleep(1_000);
  response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }));
  response.write(event({ choices: [], usage }));
  response.end("data: [DONE]\n\n");
};

test("a stream that cannot be charged is told so at its end, and is charged once when the store is back", async () => {
  const gateway = await startGateway();
  const store = await openStore({ home: gateway.home });
  const chargesOf = () =>
    store.core
      .selectFrom("ledger_transfers")
      .select("amount")
      .where("kind", "=", "charge")
      .execute();
  await setBudget(store, { id: "bud_1", limit: 10n ** 17n });
  await directoryRead(store, gateway);
  gateway.upstream.answer(slowly);
  const answer = await gateway.post("/v1/chat/completions", {
    model: "openai/gpt-4o-mini",
    stream: true,
    max_tokens: 300,
    messages: [{ role: "user", content: "x" }],
  });
  const other = new DatabaseSync(join(gateway.home, "turnpike.db"));
  other.exec("BEGIN IMMEDIATE");
  const text = await answer.text();
  expect(text).toContain("word");
  expect(text).toContain("store_unavailable");
  expect(text).not.toContain("[DONE]");
  expect(await chargesOf()).toEqual([]);
  other.exec("ROLLBACK");
  other.close();
  await expect.poll(chargesOf, { timeout: 10_000 }).toEqual([{ amount: COST }]);
  const open = await store.core
    .selectFrom("holds")
    .select("id")
    .where("state", "=", "open")
    .execute();
  expect(open).toEqual([]);
  expect(await checkInvariants(store.core)).toEqual([]);
  await store.close();
  await gateway.close();
});
