import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import type { JsonObject } from "#lib/json.ts";
import { describeOnEach } from "#test/databases.ts";
import { startFakeUpstream, type Script } from "#test/fake-upstream.ts";
import { directoryRead, setBudget } from "#test/govern.ts";
import { startProcess, type GatewayProcess } from "#test/money/gateway-process.ts";
import { TEST_KEY } from "#test/start-gateway.ts";

/** `RACE_REPETITIONS=50 RACE_REQUESTS=1000` is the full size. */
const REPETITIONS = Number(process.env["RACE_REPETITIONS"] ?? 1);
const REQUESTS = Number(process.env["RACE_REQUESTS"] ?? 300);

/** gpt-4o-mini: 150 nano-USD an input token, 600 an output token. */
const MODEL = "openai/gpt-4o-mini";
const INPUT = 20;
const OUTPUT = 300;
/** What one request costs that is answered in full. */
const COST = INPUT * 150 + OUTPUT * 600;

const usage = { prompt_tokens: INPUT, completion_tokens: OUTPUT, total_tokens: INPUT + OUTPUT };
const chunk = (delta: JsonObject, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** Answers as it is asked to: whole or streamed, now and then ill, and some streams without an end. */
function upstream(): Script {
  let count = 0;
  return async (request, response) => {
    count++;
    await sleep(count % 7);
    if (count % 11 === 0) {
      response.writeHead(500, { "content-type": "application/json" });
      response.end('{"error":{"message":"ill"}}');
      return;
    }
    const bound = Number(request.body["max_completion_tokens"] ?? OUTPUT);
    const output = Math.min(bound, OUTPUT);
    const told = { ...usage, completion_tokens: output, total_tokens: INPUT + output };
    if (request.body["stream"] !== true) {
      response.writeHead(200, { "content-type": "application/json" });
      const message = { role: "assistant", content: "word ".repeat(output) };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      response.end(JSON.stringify({ id: "x", object: "chat.completion", choices, usage: told }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let at = 0; at < 10; at++) response.write(chunk({ content: "word ".repeat(output / 10) }));
    await sleep(20);
    response.write(chunk({}, "stop"));
    response.write(
      `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", choices: [], usage: told })}\n\n`,
    );
    response.end("data: [DONE]\n\n");
  };
}

/** One client: asks until it is answered, or told that there is nothing left. */
async function ask(url: string, index: number): Promise<"answered" | "left" | "refused"> {
  const stream = index % 3 === 0;
  const leaves = index % 15 === 0;
  const body = {
    model: index % 40 === 39 ? "groq/a-model-without-a-price" : MODEL,
    // A failed attempt is repeated at another model, which costs the same at most.
    models: [MODEL],
    max_tokens: OUTPUT,
    stream,
    messages: [{ role: "user", content: "hello" }],
  };
  for (;;) {
    const abort = new AbortController();
    // A thousand connections at once: some are reset before they are accepted, and are made anew.
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: abort.signal,
    }).catch(() => undefined);
    if (response === undefined) {
      await sleep(100);
      continue;
    }
    if (response.status === 200) {
      if (leaves && stream) {
        abort.abort();
        await response.body?.cancel().catch(() => undefined);
        return "left";
      }
      await response.text().catch(() => undefined);
      return "answered";
    }
    await response.text();
    const mayRetry = response.headers.get("x-should-retry") !== "false";
    if (response.status === 402 && !mayRetry) return "refused";
    if (response.status === 404 || response.status === 400) return "refused";
    await sleep(50 + Math.random() * 200);
  }
}

describeOnEach("a thousand requests on a budget worth a hundred", (make, dialect) => {
  const processes = dialect === "postgres" ? 4 : 1;

  test(
    `overspend nothing and leave at most a twentieth, ${REPETITIONS} times through ${processes} process(es)`,
    async () => {
      const database = await make();
      const provider = await startFakeUpstream();
      const store = await database.open();
      const gateways: GatewayProcess[] = [];
      try {
        // One after the other: the first makes what they share.
        for (let at = 0; at < processes; at++) {
          const { home, url: databaseUrl } = database;
          gateways.push(await startProcess({ home, databaseUrl, origin: provider.origin }));
        }
        for (let round = 0; round < REPETITIONS; round++) {
          provider.answer(upstream());
          const id = `bud_${round}`;
          const limit = BigInt((REQUESTS / 10) * COST);
          await setBudget(store, { id, limit });
          await directoryRead();
          const outcomes = await Promise.all(
            Array.from({ length: REQUESTS }, (_none, index) =>
              ask(gateways[index % processes]?.url ?? "", index),
            ),
          );
          let row;
          do {
            await sleep(50);
            row = await store.core
              .selectFrom("budget_counters")
              .select(["used", "pending"])
              .where("budget_id", "=", id)
              .executeTakeFirstOrThrow();
          } while (BigInt(row.pending) > 0n);
          const used = Number(row.used);
          expect(used).toBeLessThanOrEqual(Number(limit));
          expect(used).toBeGreaterThanOrEqual(Number(limit) * 0.95);
          expect(outcomes.filter((outcome) => outcome === "refused").length).toBeGreaterThan(0);
          expect(await checkInvariants(store.core, { maxTransfers: 1e9 })).toEqual([]);
          await setBudget(store, { id, limit: 10n ** 17n, document: { mode: "soft" } });
        }
      } finally {
        await Promise.all(gateways.map((gateway) => gateway.kill()));
        await store.close();
        await provider.close();
        await database.remove();
      }
    },
    1_000 * 60 * 60,
  );
});
