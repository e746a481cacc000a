import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startApp } from "../../gateway/src/app.ts";
import { openStore, type Store } from "../../gateway/src/store/store.ts";
import { makePayer } from "../../gateway/test/chain/payer.ts";
import { startChain, type TestChain } from "../../gateway/test/chain/start-chain.ts";
import { startFacilitator } from "../../gateway/test/chain/start-facilitator.ts";
import { freePort, paymentsConfig } from "../../gateway/test/payments/start-paid-gateway.ts";

/** All that an agent which pays needs around it, on this machine. */
export interface Stand {
  readonly chain: TestChain;
  readonly facilitatorUrl: string;
  /** The gateway's origin. */
  readonly origin: string;
  readonly agent: Awaited<ReturnType<typeof makePayer>>;
  /** The gateway's own store, to look at its books. */
  readonly store: Store;
  close(): Promise<void>;
}

/** Starts a chain, a facilitator and a gateway whose only provider is the built-in demo. */
export async function openStand(): Promise<Stand> {
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const chain = await startChain();
    closers.push(() => chain.stop());
    const facilitator = await startFacilitator([chain]);
    closers.push(() => facilitator.stop());
    const agent = await makePayer([chain]);
    const home = mkdtempSync(join(tmpdir(), "turnpike-demo-"));
    closers.push(() => rmSync(home, { recursive: true, force: true }));
    // The origin is in what wallets sign: the port is known before the gateway starts.
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const config = paymentsConfig({ origin, chain, facilitators: [facilitator] });
    writeFileSync(join(home, "turnpike.yaml"), config);
    // No provider's key, whatever the environment has.
    const app = await startApp({ home, port, env: { LOG_LEVEL: "error" } });
    closers.push(() => app.close());
    const store = await openStore({ home });
    closers.push(() => store.close());
    return { chain, facilitatorUrl: facilitator.url, origin, agent, store, close };
  } catch (error) {
    await close();
    throw error;
  }
}
