import { setTimeout as pause } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import { resumeMining, stopMining } from "#test/chain/mishaps.ts";
import { allowPermit2 } from "#test/chain/payer.ts";
import type { TestChain } from "#test/chain/start-chain.ts";
import { NO_FAULTS, type TestFacilitator } from "#test/chain/start-facilitator.ts";
import { describeOnEach } from "#test/databases.ts";
import { json, type FakeUpstream } from "#test/fake-upstream.ts";
import type { GatewayProcess } from "#test/money/gateway-process.ts";
import { makeKillableWorld, type KillableWorld } from "#test/payments/killable-gateway.ts";
import { ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch, receivedOn } from "#test/payments/payment-books.ts";
import { openReconciler } from "#test/payments/reconciler.ts";
import { UPTO } from "#test/payments/start-paid-gateway.ts";
import { failAt, type WritingStep } from "#test/payments/store-fault.ts";

const TEN_MINUTES_MS = 600_000;
const SLOW_MS = 300;
/** What the least price is in the ledger. */
const LEAST = 1_000_000n;

describeOnEach("gateways that are killed while an answer is paid by upto", (make, dialect) => {
  let world: KillableWorld;
  let store: Store;
  let chain: TestChain;
  let facilitator: TestFacilitator;
  let provider: FakeUpstream;
  let agent: Agent;
  let start: () => Promise<GatewayProcess>;
  beforeEach(async () => {
    const settings = `    settleTimeoutMs: 1000\n    uptoAtOnce: 100\n${UPTO}`;
    world = await makeKillableWorld(await make(), settings);
    ({ store, chain, facilitator, provider, agent, start } = world);
    provider.answer(json(ANSWER));
    await allowPermit2({ chain, token: chain.tokens.usdc, account: world.payer });
  });
  afterEach(() => world.stop());

  /** Sends one, and kills its gateway once it has come so far; gives the payment. */
  const killAt = async (
    comesSoFar: (sending: Promise<Response>) => Promise<unknown>,
  ): Promise<string> => {
    const gateway = await start();
    const header = await agent.sign({ scheme: "upto" });
    const sending = agent.post(SMALL, paidBy(header));
    sending.catch(() => undefined);
    await comesSoFar(sending);
    await gateway.kill();
    Object.assign(facilitator.faults, NO_FAULTS);
    return header;
  };
  const called = async (path: "verify" | "settle"): Promise<void> => {
    const before = facilitator.calls[path];
    while (facilitator.calls[path] === before) await pause(1);
  };
  const failing = async (step: WritingStep): Promise<string> => {
    const repair = await failAt({ core: store.core, dialect }, step);
    const header = await killAt((sending) => sending);
    await repair();
    return header;
  };
  /** The gateway dies while its facilitator, or what it says, is on the way. */
  const settling = (faults: object, wait: () => Promise<unknown> = () => Promise.resolve()) =>
    killAt(async () => {
      Object.assign(facilitator.faults, faults);
      await called("settle");
      await wait();
    });

  /** In a block that comes after the gateway has died. */
  const carriedOutLater = async (): Promise<string> => {
    await stopMining(chain);
    const header = await settling({}, () => pause(SLOW_MS));
    await resumeMining(chain);
    return header;
  };

  test(
    "between every two steps: nothing that was settled is lost, and nothing is answered unpaid",
    async () => {
      const unclaimed = [
        await killAt(() => {
          facilitator.faults.slowMs = SLOW_MS;
          return called("verify");
        }),
        await failing("claim"),
      ];
      const units = await receivedOn(chain);
      let reached: () => void = () => undefined;
      const upstream = new Promise<void>((resolve) => (reached = resolve));
      provider.answer(() => reached());
      const unpaid = [await killAt(() => upstream)];
      provider.answer(json(ANSWER));
      unpaid.push(await settling({ ignoresSettle: true }));
      expect(await receivedOn(chain)).toBe(units);
      const settled = [await carriedOutLater(), await failing("use"), await failing("deposit")];
      // Whoever dies a moment later has booked it as credit before: then it was used.
      const charging = [await failing("settle")];
      const answered = [
        await killAt((sending) => {
          facilitator.faults.losesAnswer = true;
          return sending;
        }),
        await killAt((sending) => sending),
      ];
      expect((await receivedOn(chain)) - units).toBe(6n * LEAST);

      const last = await start();
      const statuses = (headers: readonly string[]): Promise<readonly number[]> =>
        Promise.all(headers.map(async (one) => (await agent.post(SMALL, paidBy(one))).status));
      expect(await statuses(answered)).toEqual([409, 409]);
      expect(await statuses(unpaid)).toEqual([503, 503]);
      expect(await statuses(unclaimed)).toEqual([200, 200]);
      const reconciler = openReconciler(store, chain);
      await chain.client.increaseTime({ seconds: 300 });
      await chain.client.mine({ blocks: 1 });
      await reconciler.reconcile(TEN_MINUTES_MS);
      await reconciler.reconcile(TEN_MINUTES_MS);
      await reconciler.close();
      expect(await statuses(unpaid)).toEqual([402, 402]);
      // What was settled is the wallet's, and buys the same once.
      expect(await statuses(settled)).toEqual(settled.map(() => 200));
      expect(await statuses(settled)).toEqual(settled.map(() => 409));
      const [ofCharging = 0] = await statuses(charging);
      expect([200, 409]).toContain(ofCharging);
      const { deposits } = await expectBooksToMatch(store, chain, { withinMs: 10_000 });
      expect(deposits).toBe(8n * LEAST);
      await last.kill();
    },
    TEN_MINUTES_MS,
  );
});
