import { setTimeout as pause } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import type { TestChain, TestToken } from "#test/chain/start-chain.ts";
import { NO_FAULTS, type TestFacilitator } from "#test/chain/start-facilitator.ts";
import { describeOnEach } from "#test/databases.ts";
import { json, type FakeUpstream, type Script } from "#test/fake-upstream.ts";
import type { GatewayProcess } from "#test/money/gateway-process.ts";
import { makeKillableWorld, type KillableWorld } from "#test/payments/killable-gateway.ts";
import { ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { failAt, type WritingStep } from "#test/payments/store-fault.ts";

/** `PAY_KILLS=200` is the full size. */
const KILLS = Number(process.env["PAY_KILLS"] ?? 3);
const CLIENTS = 8;
const HOUR_MS = 60 * 60 * 1_000;
/** What dead gateways have held is released within this. */
const RELEASE_MS = 90_000;
const SLOW_MS = 300;

/** A payment, and what its client was told in the end. */
interface Sent {
  readonly header: string;
  answers: number;
  isOver: boolean;
}

const slowly: Script = async (request, response) => {
  await pause(Math.random() * 20);
  await json(ANSWER)(request, response);
};

describeOnEach("gateways that are killed while they are paid", (make, dialect) => {
  let world: KillableWorld;
  let store: Store;
  let chain: TestChain;
  let facilitator: TestFacilitator;
  let provider: FakeUpstream;
  let agent: Agent;
  let start: () => Promise<GatewayProcess>;
  beforeEach(async () => {
    const settings =
      "    settleTimeoutMs: 1000\n    maxTimeoutSeconds: 3600\n    strangers: { requestsPerMinute: 1000000 }";
    world = await makeKillableWorld(await make(), settings);
    ({ store, chain, facilitator, provider, agent, start } = world);
  });
  afterEach(() => world.stop());

  /** Sends a payment until its fate is known. `false`: its gateway is gone. */
  const send = async (sent: Sent): Promise<boolean> => {
    while (!sent.isOver) {
      let answer: Response;
      try {
        answer = await agent.post(SMALL, paidBy(sent.header));
        const text = await answer.text();
        if (answer.status === 200 && text.endsWith("}")) sent.answers++;
      } catch {
        return false;
      }
      const { status } = answer;
      expect([200, 409, 503]).toContain(status);
      // A payment that was sent is never answered by a price.
      sent.isOver = status !== 503;
      if (status === 503) await pause(100);
    }
    return true;
  };
  /** Every payment is on the chain, in the ledger, was answered at most once, and nothing is held. */
  const expectAllWell = async (all: readonly Sent[]): Promise<void> => {
    expect(all.filter(({ isOver }) => !isOver)).toEqual([]);
    expect(all.filter(({ answers }) => answers > 1)).toEqual([]);
    const { deposits } = await expectBooksToMatch(store, chain, { withinMs: RELEASE_MS });
    expect(deposits).toBe(BigInt(all.length) * 1_000_000n);
    const rows = await store.core.selectFrom("payments").select(["state", "request_id"]).execute();
    expect(rows).toHaveLength(all.length);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["credited"]));
    const charges = await store.core
      .selectFrom("ledger_transfers")
      .select("request_id")
      .where("kind", "=", "charge")
      .execute();
    expect(new Set(charges.map(({ request_id: id }) => id)).size).toBe(charges.length);
  };

  test(
    `at any instant, ${KILLS} times: nothing is lost, and nothing paid twice`,
    async () => {
      provider.answer(slowly);
      const all: Sent[] = [];
      let begun = Date.now();
      const client = async (): Promise<void> => {
        for (;;) {
          const sent: Sent = {
            header: await agent.sign({ token: chain.tokens.usdc }).catch(() => ""),
            answers: 0,
            isOver: false,
          };
          if (sent.header === "") return;
          all.push(sent);
          if (!(await send(sent))) return;
        }
      };
      for (let kill = 0; kill < KILLS; kill++) {
        const gateway = await start();
        const again = all.filter(({ isOver }) => !isOver).map(send);
        const clients = Array.from({ length: CLIENTS }, client);
        begun = all.filter(({ answers }) => answers > 0).length;
        const until = begun + 1 + Math.random() * 8;
        while (all.filter(({ answers }) => answers > 0).length < until) await pause(1);
        await pause(Math.random() * 50);
        await gateway.kill();
        await Promise.all([...clients, ...again]);
        if (kill % 20 === 19) process.stdout.write(`${dialect}: ${kill + 1} kills\n`);
      }
      const last = await start();
      await Promise.all(all.map(send));
      await expectAllWell(all);
      await last.kill();
      const answered = all.filter(({ answers }) => answers === 1).length;
      process.stdout.write(
        `${dialect}: ${KILLS} kills, ${all.length} payments, ${answered} answered, ${all.length - answered} left as credit\n`,
      );
    },
    HOUR_MS,
  );

  test(
    "between every two steps: the same payment gets its answer, or is credit",
    async () => {
      const all: Sent[] = [];
      /** Sends one, and kills its gateway once it has come so far. */
      const killAt = async (
        comesSoFar: (sending: Promise<Response>) => Promise<unknown>,
        token?: TestToken,
      ) => {
        const gateway = await start();
        const header = await agent.sign(token === undefined ? {} : { token });
        const sent: Sent = { header, answers: 0, isOver: false };
        all.push(sent);
        const sending = agent.post(SMALL, paidBy(sent.header));
        sending.catch(() => undefined);
        await comesSoFar(sending);
        await gateway.kill();
      };
      const called = async (path: "verify" | "settle"): Promise<void> => {
        const before = facilitator.calls[path];
        while (facilitator.calls[path] === before) await pause(1);
      };
      const failing = async (step: WritingStep): Promise<void> => {
        const repair = await failAt({ core: store.core, dialect }, step);
        await killAt((sending) => sending);
        await repair();
      };

      provider.answer(json(ANSWER));
      facilitator.faults.slowMs = SLOW_MS;
      await killAt(() => called("verify"), chain.tokens.usdt18);
      await killAt(() => called("settle"));
      Object.assign(facilitator.faults, NO_FAULTS, { ignoresSettle: true });
      await killAt(() => called("settle"));
      Object.assign(facilitator.faults, NO_FAULTS, { losesAnswer: true });
      await killAt(() => called("settle").then(() => pause(SLOW_MS / 4)));
      Object.assign(facilitator.faults, NO_FAULTS);
      await failing("claim");
      await failing("use");
      await failing("deposit");
      await failing("hold");
      await failing("settle");
      let reached: () => void = () => undefined;
      const upstream = new Promise<void>((resolve) => (reached = resolve));
      provider.answer(() => reached());
      await killAt(() => upstream);
      provider.answer(json(ANSWER));
      await killAt((sending) => sending);

      const last = await start();
      await Promise.all(all.map(send));
      await expectAllWell(all);
      await last.kill();
    },
    HOUR_MS,
  );
});
