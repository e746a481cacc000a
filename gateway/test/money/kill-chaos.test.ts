import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import type { JsonObject } from "#lib/json.ts";
import { describeOnEach } from "#test/databases.ts";
import { startFakeUpstream, type Script } from "#test/fake-upstream.ts";
import { setBudget } from "#test/govern.ts";
import { startProcess } from "#test/money/gateway-process.ts";
import { TEST_KEY } from "#test/start-gateway.ts";

/** `CHAOS_KILLS=200` is the full size. */
const KILLS = Number(process.env["CHAOS_KILLS"] ?? 6);
const CLIENTS = 24;

const usage = { prompt_tokens: 20, completion_tokens: 30, total_tokens: 50 };
const COST = 20 * 150 + 30 * 600;
const event = (value: JsonObject): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: JsonObject, finish: string | null = null): string =>
  event({
    id: "x",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

const upstream: Script = async (request, response) => {
  await sleep(Math.random() * 30);
  if (request.body["stream"] !== true) {
    const choices = [
      { index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" },
    ];
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ id: "x", object: "chat.completion", choices, usage }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let at = 0; at < 5; at++) {
    response.write(chunk({ content: "word " }));
    await sleep(Math.random() * 30);
  }
  response.write(chunk({}, "stop"));
  response.write(event({ id: "x", object: "chat.completion.chunk", choices: [], usage }));
  response.end("data: [DONE]\n\n");
};

/** Asks without a pause until its gateway is gone; notes the ids of what it was answered. */
async function client(url: string, index: number, answered: string[]): Promise<void> {
  for (let count = 0; ; count++) {
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${TEST_KEY}` },
        body: JSON.stringify({
          model: "openai/gpt-4o-mini",
          max_tokens: 300,
          stream: (index + count) % 2 === 0,
          messages: [{ role: "user", content: "hello" }],
        }),
      });
      const text = await response.text();
      // A stream that a failing store ends with an error is no answer: its hold is ended later.
      const isWhole = text.includes("[DONE]") || text.trimEnd().endsWith("}");
      const isAnswer = response.status === 200 && isWhole && !text.includes('"error":');
      if (isAnswer) answered.push(response.headers.get("x-request-id") ?? "");
    } catch {
      return;
    }
  }
}

describeOnEach("gateways that are killed at any instant", (make) => {
  test(
    `charge every answer once and leave no hold, ${KILLS} times`,
    async () => {
      const database = await make();
      const provider = await startFakeUpstream();
      provider.answer(upstream);
      const store = await database.open();
      const answered: string[] = [];
      try {
        await setBudget(store, { id: "bud_1", limit: 10n ** 17n });
        for (let kill = 0; kill < KILLS; kill++) {
          const { home, url: databaseUrl } = database;
          const gateway = await startProcess({ home, databaseUrl, origin: provider.origin });
          const clients = Array.from({ length: CLIENTS }, (_none, at) =>
            client(gateway.url, at, answered),
          );
          // At any instant, but of its work and not of its start.
          const until = answered.length + 5 + Math.random() * 60;
          while (answered.length < until) await sleep(1);
          await sleep(Math.random() * 20);
          await gateway.kill();
          await Promise.all(clients);
          expect(await checkInvariants(store.core, { maxTransfers: 1e9, maxEnded: 1e6 })).toEqual(
            [],
          );
        }
        const charges = await store.core
          .selectFrom("ledger_transfers")
          .select(["request_id", "amount"])
          .where("kind", "=", "charge")
          .execute();
        const charged = new Map<string | null, number[]>();
        for (const { request_id: id, amount } of charges) {
          charged.set(id, [...(charged.get(id) ?? []), Number(amount)]);
        }
        expect(answered.length).toBeGreaterThan(KILLS * 5);
        expect(answered.filter((id) => charged.get(id)?.length !== 1)).toEqual([]);
        expect(new Set(answered.map((id) => charged.get(id)?.[0]))).toEqual(new Set([COST]));
        // What the dead left behind is ended by whoever lives, within seconds.
        const last = await startProcess({
          home: database.home,
          databaseUrl: database.url,
          origin: provider.origin,
        });
        for (let seconds = 0; ; seconds++) {
          const open = await store.core
            .selectFrom("holds")
            .select("id")
            .where("state", "=", "open")
            .execute();
          if (open.length === 0) break;
          expect(seconds).toBeLessThan(60);
          await sleep(1_000);
        }
        await last.kill();
        expect(await checkInvariants(store.core, { maxTransfers: 1e9, maxEnded: 1e6 })).toEqual([]);
        const counter = await store.core
          .selectFrom("budget_counters")
          .select(["used", "pending"])
          .executeTakeFirstOrThrow();
        const booked = await store.core
          .selectFrom("ledger_transfers")
          .select("amount")
          .where("kind", "=", "charge")
          .execute();
        expect(Number(counter.pending)).toBe(0);
        expect(Number(counter.used)).toBe(
          booked.reduce((sum, { amount }) => sum + Number(amount), 0),
        );
      } finally {
        await store.close();
        await provider.close();
        await database.remove();
      }
    },
    1_000 * 60 * 60,
  );
});
