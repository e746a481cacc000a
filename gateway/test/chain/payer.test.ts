import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { encodePaymentRequiredHeader } from "@x402/core/http";
import type { PaymentRequired } from "@x402/core/types";
import { PaymentPayloadV2Schema } from "@x402/core/schemas";
import {
  declareSIWxExtension,
  parseSIWxHeader,
  validateSIWxMessage,
  verifySIWxSignature,
} from "@x402/extensions/sign-in-with-x";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { offer } from "#test/chain/offer.ts";
import {
  makePayer,
  payingClient,
  payingFetch,
  paymentHeader,
  readPayment,
  signInHeader,
} from "#test/chain/payer.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";

const NONCE = "0123456789abcdef";

describe("payers", () => {
  let chain: TestChain;
  let payer: PrivateKeyAccount;

  beforeAll(async () => {
    chain = await startChain();
    payer = await makePayer([chain]);
  });
  afterAll(() => chain.stop());

  test("have a hundred of every token", async () => {
    for (const token of Object.values(chain.tokens)) {
      const balance = await chain.balance(token, payer.address);
      expect(balance).toBe(100n * 10n ** BigInt(token.decimals));
    }
  });

  test("sign what they are told, and say what they are told", async () => {
    const required = offer(chain, chain.tokens.usdc);
    const payment = readPayment(
      await paymentHeader(payer, required, { signed: { amount: "1" }, accepted: { amount: "2" } }),
    );
    expect(PaymentPayloadV2Schema.parse(payment)).toEqual(payment);
    expect(payment.accepted).toEqual({ ...required.accepts[0], amount: "2" });
    expect(payment.payload).toMatchObject({ authorization: { from: payer.address, value: "1" } });
  });

  test("sign anew each time", async () => {
    const required = offer(chain, chain.tokens.usdt18);
    const headers = [await paymentHeader(payer, required), await paymentHeader(payer, required)];
    const nonces = headers.map((header) => {
      const { permit2Authorization } = readPayment(header).payload;
      return (permit2Authorization as { nonce: string }).nonce;
    });
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  test("refuse more than a dollar of a token that they know, and pay it in one that they do not", async () => {
    const required = offer(chain, chain.tokens.usdc, { amount: "2000000" });
    const base = {
      network: "eip155:8453",
      asset: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    } as const;
    const known = offer(chain, chain.tokens.usdc, { ...base, amount: "2000000" });
    await expect(payingClient(payer).createPaymentPayload(known)).rejects.toThrow("spendControls");
    expect((await payingClient(payer).createPaymentPayload(required)).accepted.amount).toBe(
      "2000000",
    );
  });

  describe("that sign in", () => {
    let server: Server;
    let url: string;
    const seen: IncomingMessage["headers"][] = [];

    beforeAll(async () => {
      server = createServer((request, response) => {
        seen.push(request.headers);
        welcome(request, response).catch((error: unknown) =>
          response.writeHead(500).end(String(error)),
        );
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/story`;
    });
    afterAll(() => server.close());

    /** Asks for money, unless a wallet shows who it is. */
    async function welcome(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const header = request.headers["sign-in-with-x"]?.toString();
      if (header !== undefined) {
        const message = parseSIWxHeader(header);
        const valid = await validateSIWxMessage(message, new URL(url), {
          checkNonce: (nonce) => nonce === NONCE,
        });
        const verified = await verifySIWxSignature(message);
        response.writeHead(200).end(JSON.stringify({ valid, verified }));
        return;
      }
      const required = encodePaymentRequiredHeader(challenge());
      response.writeHead(402, { "payment-required": required }).end();
    }

    function challenge(): PaymentRequired {
      const [declared] = Object.values(declareSIWxExtension({ network: chain.network }));
      const issuedAt = new Date().toISOString();
      const where = { domain: new URL(url).host, uri: url };
      const info = { ...declared?.info, ...where, nonce: NONCE, issuedAt };
      const extensions = { "sign-in-with-x": { ...declared, info, _options: undefined } };
      return { ...offer(chain, chain.tokens.usdc), extensions };
    }

    test("show who they are before they pay", async () => {
      const response = await payingFetch(payer, { signsIn: true })(url, {
        method: "POST",
        body: "{}",
      });
      expect(await response.json()).toEqual({
        valid: { isValid: true },
        verified: { isValid: true, payer: payer.address },
      });
      expect(seen.some((headers) => "payment-signature" in headers)).toBe(false);
    });

    test("sign for this site and for others", async () => {
      const elsewhere = { domain: "elsewhere.example", uri: "https://elsewhere.example/story" };
      const headers = [
        await signInHeader(payer, challenge()),
        await signInHeader(payer, challenge(), elsewhere),
      ];
      const answers = headers.map(async (header) => {
        const response = await fetch(url, { headers: { "sign-in-with-x": header } });
        return response.json();
      });
      const verified = { isValid: true, payer: payer.address };
      expect(await Promise.all(answers)).toMatchObject([
        { valid: { isValid: true }, verified },
        { valid: { invalidReason: "invalid_siwx_domain_mismatch" }, verified },
      ]);
    });

    test("pay at once when they do not", async () => {
      seen.length = 0;
      await payingFetch(payer)(url, { method: "POST", body: "{}" });
      expect(seen.map((headers) => "payment-signature" in headers)).toEqual([false, true]);
    });
  });
});
