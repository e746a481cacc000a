import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import {
  decodePaymentResponseHeader,
  decodePaymentSignatureHeader,
  encodePaymentRequiredHeader,
  encodePaymentResponseHeader,
} from "@x402/core/http";
import { HTTPFacilitatorClient, x402ResourceServer } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { RECIPIENT } from "#test/chain/offer.ts";
import { makePayer, payingFetch } from "#test/chain/payer.ts";
import { startChain, type TestChain, type TestToken } from "#test/chain/start-chain.ts";
import { startFacilitator, type TestFacilitator } from "#test/chain/start-facilitator.ts";

const PIECES = ["one ", "two ", "three"];
const BETWEEN_PIECES_MS = 150;

describe("the official client pays for a streamed answer", () => {
  let chain: TestChain;
  let facilitator: TestFacilitator;
  let payer: PrivateKeyAccount;
  let seller: Server;
  let url: string;

  beforeAll(async () => {
    chain = await startChain();
    facilitator = await startFacilitator([chain]);
    payer = await makePayer([chain]);
    const client = new HTTPFacilitatorClient({ url: facilitator.url, timeoutMs: 5000 });
    const resources = new x402ResourceServer(client).register("eip155:*", new ExactEvmScheme());
    await resources.initialize();
    const accepts = (
      await Promise.all(Object.values(chain.tokens).map((token) => offer(token)))
    ).flat();

    async function offer({ address, decimals, method, name, version }: TestToken) {
      return resources.buildPaymentRequirements({
        scheme: "exact",
        network: chain.network,
        payTo: RECIPIENT,
        price: { asset: address, amount: `${3n * 10n ** BigInt(decimals - 3)}` },
        maxTimeoutSeconds: 120,
        extra: { name, version, assetTransferMethod: method, paymentFlow: "upfront" },
      });
    }

    async function sell(header: string | undefined, response: ServerResponse): Promise<void> {
      const matching =
        header && resources.findMatchingRequirements(accepts, decodePaymentSignatureHeader(header));
      if (!header || !matching) return askForPayment(response);
      const settled = await resources.settlePayment(decodePaymentSignatureHeader(header), matching);
      if (!settled.success) return askForPayment(response);
      response.writeHead(200, { "payment-response": encodePaymentResponseHeader(settled) });
      for (const piece of PIECES) {
        response.write(piece);
        await pause(BETWEEN_PIECES_MS);
      }
      response.end();
    }

    async function askForPayment(response: ServerResponse): Promise<void> {
      const required = await resources.createPaymentRequiredResponse(accepts, {
        url,
        description: "a story",
        mimeType: "text/plain",
      });
      response.writeHead(402, { "payment-required": encodePaymentRequiredHeader(required) }).end();
    }

    seller = createServer((request, response) => {
      sell(request.headers["payment-signature"]?.toString(), response).catch((error: unknown) =>
        response.writeHead(500).end(String(error)),
      );
    }).listen(0, "127.0.0.1");
    await once(seller, "listening");
    url = `http://127.0.0.1:${(seller.address() as AddressInfo).port}/story`;
  });
  afterAll(async () => {
    seller.close();
    await facilitator.stop();
    await chain.stop();
  });

  test.for(["usdc", "usdt", "usdt18"] as const)("in %s", async (name) => {
    const token = chain.tokens[name];
    const response = await payingFetch(payer, { token })(url, { method: "POST", body: "{}" });
    expect(response.status).toBe(200);
    const receipt = decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");
    expect(receipt).toMatchObject({ success: true, network: chain.network, payer: payer.address });
    const arrivals = await arrivalsOf(response);
    expect(arrivals.map(({ text }) => text).join("")).toBe(PIECES.join(""));
    expect(arrivals.at(-1)!.at - arrivals[0]!.at).toBeGreaterThan(BETWEEN_PIECES_MS);
    expect(await chain.balance(token, RECIPIENT)).toBe(3n * 10n ** BigInt(token.decimals - 3));
  });

  test("whoever does not pay is told the price", async () => {
    expect((await fetch(url, { method: "POST" })).status).toBe(402);
  });
});

async function arrivalsOf(response: Response): Promise<{ text: string; at: number }[]> {
  const arrivals: { text: string; at: number }[] = [];
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    arrivals.push({ text: decoder.decode(chunk), at: performance.now() });
  }
  return arrivals;
}
