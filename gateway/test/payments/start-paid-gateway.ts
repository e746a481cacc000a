import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { makePayer } from "#test/chain/payer.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import { startFacilitator, type TestFacilitator } from "#test/chain/start-facilitator.ts";
import type { TestDatabase } from "#test/databases.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

/** Paid by everybody; nobody has its key. */
export const PAY_TO = "0x00000000000000000000000000000000000000A1";

export interface PaidGateway extends TestGateway {
  readonly chain: TestChain;
  readonly facilitator: TestFacilitator;
  readonly payer: Awaited<ReturnType<typeof makePayer>>;
}

export interface PaidOptions {
  /** More lines of the section `payments.x402`, indented by four. */
  readonly x402?: string;
  /** More members of its network. */
  readonly network?: string;
  readonly chain?: TestChain;
  readonly facilitator?: TestFacilitator;
  /** Further ones, asked after it. */
  readonly others?: readonly TestFacilitator[];
  /** Its data folder and address; whoever has made it removes it. */
  readonly database?: Pick<TestDatabase, "home" | "url">;
  readonly home?: string;
  readonly env?: Record<string, string>;
  readonly port?: number;
}

/** A test asks more often than one address may. */
const UNLIMITED = "    strangers: { requestsPerMinute: 100000 }";

/** Takes payments by `upto`, too. */
export const UPTO = `    upto: true\n${UNLIMITED}`;

/** A gateway that takes payments on a chain of its own. Its name is in what wallets sign: the port is known before. */
export async function startPaidGateway(options: PaidOptions = {}): Promise<PaidGateway> {
  const chain = options.chain ?? (await startChain());
  const facilitator = options.facilitator ?? (await startFacilitator([chain]));
  const port = options.port ?? (await freePort());
  const configText = paymentsConfig({
    origin: `http://127.0.0.1:${port}`,
    chain,
    facilitators: [facilitator, ...(options.others ?? [])],
    more: options.x402 ?? UNLIMITED,
    ...(options.network !== undefined && { network: options.network }),
  });
  const { database, home = database?.home } = options;
  const gateway = await startGateway({
    port,
    configText,
    ...(home !== undefined && { home }),
    env: { ...databaseEnvironment(database), ...options.env },
  });
  const payer = await makePayer([chain]);
  return {
    ...gateway,
    chain,
    facilitator,
    payer,
    close: async () => {
      await gateway.close();
      if (options.facilitator === undefined) await facilitator.stop();
      if (options.chain === undefined) await chain.stop();
    },
  };
}

/** On Postgres all gateways of a database have one key from outside. */
export const databaseEnvironment = (
  database: Pick<TestDatabase, "url"> | undefined,
): Record<string, string> =>
  database === undefined || database.url === ""
    ? {}
    : {
        TURNPIKE_DATABASE_URL: database.url,
        TURNPIKE_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
      };

interface Configured {
  readonly origin: string;
  readonly chain: TestChain;
  readonly facilitators: readonly Pick<TestFacilitator, "url">[];
  readonly more?: string;
  readonly network?: string;
}

/** The section `payments` of a `turnpike.yaml` for a test chain. */
export function paymentsConfig({
  origin,
  chain,
  facilitators,
  more = "",
  network = "",
}: Configured): string {
  const assets = Object.values(chain.tokens).map(
    ({ address, symbol, decimals, method, name, version }) =>
      `      - { network: "${chain.network}", address: "${address}", symbol: ${symbol}, decimals: ${decimals}, method: ${method}, name: "${name}", version: "${version}" }`,
  );
  return `payments:
  origin: ${origin}
  x402:
    facilitators:
${facilitators.map(({ url }) => `      - url: ${url}`).join("\n")}
    networks:
      - { id: "${chain.network}", rpcUrl: "${chain.url}", payTo: "${PAY_TO}", ${network} }
    assets:
${assets.join("\n")}
${more}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
