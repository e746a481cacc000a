import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { expect, test } from "vitest";

import { migrateDatabase } from "#store/migrate-database.ts";
import { openStore } from "#store/store.ts";
import { json } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { startPaidGateway } from "#test/payments/start-paid-gateway.ts";
import { startPostgres } from "#test/postgres-server.ts";

/** A database, and how it stands still. */
interface Still {
  readonly url: string;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const server = await startPostgres();
const SLOW_MS = 300;

/** Somebody else holds SQLite's lock for writing. */
function lockable(home: string): Still {
  let other: DatabaseSync | undefined;
  return {
    url: "",
    freeze: () => {
      other = new DatabaseSync(join(home, "turnpike.db"));
      other.exec("BEGIN IMMEDIATE");
    },
    thaw: () => other?.close(),
    stop: async () => undefined,
  };
}

async function freezable(): Promise<Still> {
  if (server === undefined) throw new Error("the machine has no Postgres");
  await migrateDatabase(server.url);
  return server;
}

const kinds = ["sqlite", ...(server === undefined ? [] : ["postgres"])] as const;

test.concurrent.for(kinds)(
  "a store on %s that stands still while a payment is settled: 503 'send the same' and no second price; then the same payment gets its answer, settled once",
  async (kind) => {
    const home = mkdtempSync(join(tmpdir(), "turnpike-still-"));
    const database = kind === "sqlite" ? lockable(home) : await freezable();
    const gateway = await startPaidGateway({ database: { home, url: database.url } });
    const store = await openStore({
      home,
      ...(database.url !== "" && { databaseUrl: database.url }),
    });
    try {
      gateway.upstream.answer(json(ANSWER));
      const agent = agentOf(gateway);
      const { calls, faults } = gateway.facilitator;
      const header = await agent.sign();
      faults.slowMs = SLOW_MS;
      const sent = agent.post(SMALL, paidBy(header));
      while (calls.settle === 0) await pause(1);
      database.freeze();
      try {
        const answer = await sent;
        const text = await answer.text();
        expect({ status: answer.status, text }).toEqual({
          status: 503,
          text: expect.stringContaining("same PAYMENT-SIGNATURE"),
        });
        expect(answer.headers.get("payment-required")).toBeNull();
        expect(gateway.upstream.requests).toHaveLength(0);
      } finally {
        database.thaw();
      }
      faults.slowMs = 0;
      const again = async (): Promise<number> => (await agent.post(SMALL, paidBy(header))).status;
      await expect.poll(again, { timeout: 60_000, interval: 200 }).toBe(200);
      expect(await again()).toBe(409);
      expect(calls.settle).toBe(1);
      expect(gateway.upstream.requests).toHaveLength(1);
      const { deposits } = await expectBooksToMatch(store, gateway.chain, { withinMs: 20_000 });
      expect(deposits).toBe(1_000_000n);
    } finally {
      await store.close();
      await gateway.close();
      await database.stop();
      rmSync(home, { recursive: true, force: true });
    }
  },
);
