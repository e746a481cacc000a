import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import type { Store } from "#store/store.ts";
import { signInHeader } from "#test/chain/payer.ts";
import { makeDatabase, type TestDatabase } from "#test/databases.ts";
import { json } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

/** The way to a Postgres server. */
interface Way {
  readonly url: string;
  /** Loses the next reply to a commit that books a deposit, with its connection, and is down for a while. */
  loseCommit(downMs: number): void;
  readonly lost: number;
  stop(): Promise<void>;
}

async function startWay(url: string): Promise<Way> {
  const to = new URL(url);
  let losing: number | undefined;
  let isDown = false;
  let lost = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (isDown) return void client.destroy();
    const database = connect(Number(to.port), to.hostname);
    let holds = false;
    for (const one of [client, database]) {
      sockets.add(one);
      one.on("error", () => undefined);
    }
    client.on("data", (part) => {
      holds ||= part.includes("INSERT INTO holds") || part.includes("deposit:pay_");
      database.write(part);
    });
    database.on("data", (part) => {
      if (losing === undefined || !holds || !part.includes("COMMIT\0")) {
        client.write(part);
        return;
      }
      isDown = losing > 0;
      setTimeout(() => (isDown = false), losing);
      losing = undefined;
      lost++;
      if (isDown) for (const one of sockets) one.destroy();
      client.destroy();
    });
    client.on("close", () => database.end());
    database.on("close", () => client.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = new URL(url);
  here.port = String((server.address() as AddressInfo).port);
  return {
    url: here.href,
    loseCommit: (downMs) => (losing = downMs),
    get lost() {
      return lost;
    },
    stop: async () => {
      for (const one of sockets) one.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe.skipIf(inject("postgresUrl") === "")("a commit whose reply is lost", () => {
  let database: TestDatabase;
  let gateway: PaidGateway;
  let store: Store;
  let way: Way;
  beforeAll(async () => {
    database = await makeDatabase("postgres");
    way = await startWay(database.url);
    gateway = await startPaidGateway({ database: { home: database.home, url: way.url } });
    store = await database.open();
    gateway.upstream.answer(json(ANSWER));
  });
  beforeEach(() => {
    gateway.upstream.requests.length = 0;
    gateway.facilitator.calls.settle = 0;
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
    await way.stop();
    await database.remove();
  });

  test.for([0, 1_500])(
    "of a payment, the database away for %i ms: 503 'send the same' until the same gets its answer",
    async (downMs) => {
      const agent = agentOf(gateway);
      const header = await agent.sign();
      const before = way.lost;
      way.loseCommit(downMs);
      const answer = await agent.post(SMALL, paidBy(header));
      const text = await answer.text();
      expect(way.lost - before).toBe(1);
      expect({ status: answer.status, text }).toEqual({
        status: 503,
        text: expect.stringContaining("same PAYMENT-SIGNATURE"),
      });
      const statuses: number[] = [];
      while (statuses.at(-1) !== 200 && statuses.at(-1) !== 409) {
        statuses.push((await agent.post(SMALL, paidBy(header))).status);
        await pause(downMs / 20);
      }
      expect(statuses.at(-1)).toBe(200);
      expect(new Set(statuses.slice(0, -1))).toEqual(new Set(statuses.length > 1 ? [503] : []));
      expect(gateway.upstream.requests).toHaveLength(1);
      expect(gateway.facilitator.calls.settle).toBe(1);
      await expectBooksToMatch(store, gateway.chain, { withinMs: 10_000 });
    },
  );

  test("of a wallet's proof: 503, and a new proof is served, charged once", async () => {
    const agent = agentOf(gateway);
    const prove = async () => ({
      "sign-in-with-x": await signInHeader(gateway.payer, await agent.quote()),
    });
    const headers = await prove();
    const before = way.lost;
    way.loseCommit(0);
    expect((await agent.post(SMALL, headers)).status).toBe(503);
    expect(way.lost - before).toBe(1);
    expect((await agent.post(SMALL, headers)).status).toBe(402);
    expect((await agent.post(SMALL, await prove())).status).toBe(200);
    expect(gateway.upstream.requests).toHaveLength(1);
    await expectBooksToMatch(store, gateway.chain, { withinMs: 10_000 });
  });
});
