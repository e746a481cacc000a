import { join } from "node:path";

import { dataFolder, type CliIo } from "#cli/cli-io.ts";
import { findConfigFile, readConfigAt } from "#cli/config-location.ts";
import { openMarket, type OpenMarket } from "#market/open-market.ts";
import type { Send } from "#upstream/answer.ts";
import { createDialer } from "#upstream/dialer.ts";

/** The providers and models as the gateway would have them here, and a way to reach them. */
export async function withMarket<T>(
  io: CliIo,
  work: (market: OpenMarket, send: Send) => Promise<T>,
): Promise<T> {
  let market: OpenMarket | undefined;
  const loopback = new Set<string>();
  const dialer = createDialer(() => market?.trustedOrigins() ?? loopback);
  try {
    const configFile = findConfigFile(io);
    market = await openMarket({
      env: io.env,
      configFile,
      config: await readConfigAt(io, configFile),
      catalogFile: join(dataFolder(io), "catalog.json"),
      send: dialer.send,
      onError: io.err,
      onConfig: () => undefined,
    });
    return await work(market, dialer.send);
  } finally {
    market?.close();
    await dialer.close();
  }
}
