import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { asString, type JsonObject } from "#lib/json.ts";
import type { Store } from "#store/store.ts";
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

/** Above 32,000 input tokens it costs 58 an input token and 580 an output token, twice of what it costs below. */
const LONG_MODEL = "volcengine/doubao-seed-2.0-mini";
const LONG_INPUT = 33_000;
const LONG_COST = LONG_INPUT * 58 + OUTPUT * 580;
const LONG_PROMPT = "word ".repeat(8_000);
/** Seventeen times as dear: the hold is for it, the charge mostly for the first. */
const DEAR_MODEL = "openai/gpt-4o";
const UNPRICED_MODEL = "groq/a-model-without-a-price";

const chunk = (delta: JsonObject, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** Answers as it is asked to: whole or streamed, now and then ill, and some streams without an end. */
function upstream(): Script {
  let count = 0;
  return async (request, response) => {
    // Its own number: those that wait at the same time must not all be ill at once.
    const nth = ++count;
    await sleep(nth % 7);
    if (nth % 11 === 0) {
      response.writeHead(500, { "content-type": "application/json" });
      response.end('{"error":{"message":"ill"}}');
      return;
    }
    const { max_completion_tokens: bound, max_tokens: older = OUTPUT, model } = request.body;
    const output = Math.min(Number(bound ?? older), OUTPUT);
    const input = asString(model)?.startsWith("doubao") === true ? LONG_INPUT : INPUT;
    const told = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
    };
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

/** What a client asks for: long contexts, prices that nobody knows, chains that end at a dearer model. */
function askedBy(index: number): JsonObject {
  const long = index % 50 === 7;
  const messages = [{ role: "user", content: long ? LONG_PROMPT : "hello" }];
  if (long) return { model: LONG_MODEL, messages };
  if (index % 40 === 39) return { model: UNPRICED_MODEL, models: [MODEL], messages };
  return { model: MODEL, models: [index % 20 === 3 ? DEAR_MODEL : MODEL], messages };
}

/** One client: asks until it is answered, or told that there is nothing left. */
async function ask(url: string, index: number): Promise<"answered" | "left" | "refused"> {
  const stream = index % 3 === 0;
  const leaves = index % 15 === 0;
  const body = { ...askedBy(index), max_tokens: OUTPUT, stream };
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

async function countersOf(store: Store, id: string): Promise<{ used: bigint; pending: bigint }> {
  const { used, pending } = await store.core
    .selectFrom("budget_counters")
    .select(["used", "pending"])
    .where("budget_id", "=", id)
    .executeTakeFirstOrThrow();
  return { used: BigInt(used), pending: BigInt(pending) };
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
          const { origin } = provider;
          const env = { ARK_API_KEY: "upstream-volcengine", ARK_BASE_URL: `${origin}/volcengine` };
          gateways.push(await startProcess({ home, databaseUrl, origin, env }));
        }
        for (let round = 0; round < REPETITIONS; round++) {
          provider.answer(upstream());
          const id = `bud_${round}`;
          const limit = BigInt((REQUESTS / 10) * COST);
          await setBudget(store, { id, limit });
          await directoryRead(store, ...gateways);
          expect(await ask(gateways[0]?.url ?? "", 7)).toBe("answered");
          expect(Number((await countersOf(store, id)).used)).toBe(LONG_COST);
          const outcomes = await Promise.all(
            Array.from({ length: REQUESTS }, (_none, index) =>
              ask(gateways[index % processes]?.url ?? "", index),
            ),
          );
          let row;
          do {
            await sleep(50);
            row = await countersOf(store, id);
          } while (row.pending > 0n);
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
    3 * 1_000 * 60 * 60,
  );
});
