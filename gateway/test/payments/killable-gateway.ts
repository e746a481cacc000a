import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Store } from "#store/store.ts";
import { makePayer } from "#test/chain/payer.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import { startFacilitator, type TestFacilitator } from "#test/chain/start-facilitator.ts";
import type { TestDatabase } from "#test/databases.ts";
import { startFakeUpstream, type FakeUpstream } from "#test/fake-upstream.ts";
import { startProcess, type GatewayProcess } from "#test/money/gateway-process.ts";
import { agentOf, type Agent } from "#test/payments/paying-agent.ts";
import { freePort, paymentsConfig } from "#test/payments/start-paid-gateway.ts";

/** All around a paid gateway that is killed and started again: its address stays. */
export interface KillableWorld {
  readonly store: Store;
  readonly chain: TestChain;
  readonly facilitator: TestFacilitator;
  readonly provider: FakeUpstream;
  readonly payer: Awaited<ReturnType<typeof makePayer>>;
  readonly agent: Agent;
  readonly start: () => Promise<GatewayProcess>;
  readonly stop: () => Promise<void>;
}

/** `x402`: more lines of the section `payments.x402`, indented by four. */
export async function makeKillableWorld(
  database: TestDatabase,
  x402: string,
): Promise<KillableWorld> {
  const store = await database.open();
  const chain = await startChain();
  const facilitator = await startFacilitator([chain]);
  const provider = await startFakeUpstream();
  const [port, payer] = [await freePort(), await makePayer([chain])];
  const origin = `http://127.0.0.1:${port}`;
  const text = paymentsConfig({ origin, chain, facilitators: [facilitator], more: x402 });
  writeFileSync(join(database.home, "turnpike.yaml"), text);
  return {
    store,
    chain,
    facilitator,
    provider,
    payer,
    agent: agentOf({ url: origin, payer }),
    start: () =>
      startProcess({
        home: database.home,
        databaseUrl: database.url,
        origin: provider.origin,
        env: { TURNPIKE_PORT: String(port) },
      }),
    stop: async () => {
      await store.close();
      await provider.close();
      await facilitator.stop();
      await chain.stop();
      await database.remove();
    },
  };
}
