import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import type { TestChain } from "#test/chain/start-chain.ts";

/** The way from a gateway to its node, with faults. */
export interface NodeProxy {
  /** The chain as the gateway sees it. */
  readonly chain: TestChain;
  readonly faults: {
    /** Hangs up on every call. */
    down: boolean;
    /** Answers these methods with nothing, as a node does that is behind another one of its address. */
    behindIn: readonly string[];
  };
  stop(): Promise<void>;
}

export async function startNodeProxy(chain: TestChain): Promise<NodeProxy> {
  const faults: NodeProxy["faults"] = { down: false, behindIn: [] };
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (faults.down) return void request.socket.destroy();
    const body = await text(request);
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const isBehind = faults.behindIn.includes(method);
    const result = method === "eth_getLogs" ? [] : null;
    const answer = isBehind
      ? JSON.stringify({ jsonrpc: "2.0", id, result })
      : await fetch(chain.url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        }).then((upstream) => upstream.text());
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => request.socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    chain: { ...chain, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    faults,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
