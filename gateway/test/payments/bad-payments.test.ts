import { encodePaymentSignatureHeader } from "@x402/core/http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { JsonObject } from "#lib/json.ts";
import type { Store } from "#store/store.ts";
import { makePayer, readPayment, type Tampering } from "#test/chain/payer.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { json } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

const OTHER = "0x00000000000000000000000000000000000000b2";
const BIG = { ...SMALL, max_tokens: 10_000 };

describeOnEach("payments that do not do", (make) => {
  let database: TestDatabase;
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  beforeAll(async () => {
    database = await make();
    gateway = await startPaidGateway({ database });
    store = await database.open();
    agent = agentOf(gateway);
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
    await database.remove();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(ANSWER));
    gateway.upstream.requests.length = 0;
    Object.assign(gateway.facilitator.calls, { verify: 0, settle: 0 });
  });
  afterEach(async () => {
    await expectBooksToMatch(store, gateway.chain);
  });

  /** Refused before anybody settled it, and nothing was asked of a provider. */
  const expectRefused = async (answer: Response, status: number, text: RegExp): Promise<void> => {
    const body = await answer.text();
    expect({ status: answer.status, body }).toEqual({ status, body: expect.stringMatching(text) });
    // No SDK repeats a 400 by itself.
    if (status !== 400) expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("payment-required") !== null).toBe(status === 402);
    expect(gateway.upstream.requests).toHaveLength(0);
    expect(gateway.facilitator.calls.settle).toBe(0);
  };

  describe("terms that were not offered: 402 with the price again", () => {
    const usdc = () => gateway.chain.tokens.usdc;
    const cases: Record<string, () => Tampering> = {
      "a lower amount": () => ({ signed: { amount: "1" }, accepted: { amount: "1" } }),
      "less signed than accepted": () => ({ signed: { amount: "999" } }),
      "less accepted than signed": () => ({ accepted: { amount: "999" } }),
      "another network": () => ({ accepted: { network: "eip155:1" } }),
      "another chain's signature": () => ({ signed: { network: "eip155:1" } }),
      "another asset": () => ({ accepted: { asset: OTHER } }),
      "another asset's signature": () => ({ signed: { asset: gateway.chain.tokens.usdt.address } }),
      "another recipient": () => ({ signed: { payTo: OTHER }, accepted: { payTo: OTHER } }),
      "a signature for another recipient": () => ({ signed: { payTo: OTHER } }),
      "another flow": () => ({
        accepted: { extra: { ...extra(), paymentFlow: "authorization" } },
      }),
      "no extra": () => ({ accepted: { extra: {} } }),
      "another name of the token": () => ({
        signed: { extra: { ...extra(), name: "Monopoly" } },
      }),
      "amounts of a token with 18 decimals": () => ({ accepted: { amount: `${10n ** 15n}` } }),
      "a payment that is over": () => ({ signed: { maxTimeoutSeconds: -1 } }),
      "other seconds than were offered": () => ({ accepted: { maxTimeoutSeconds: 3_600 } }),
    };
    const extra = (): Record<string, unknown> => ({
      name: usdc().name,
      version: usdc().version,
      assetTransferMethod: "eip3009",
      paymentFlow: "upfront",
    });
    test.for(Object.keys(cases))("%s", async (name) => {
      const header = await agent.sign({ token: usdc(), ...cases[name]?.() });
      await expectRefused(await agent.post(SMALL, paidBy(header)), 402, /payment_required/);
    });

    test("a payment of a smaller request for a bigger body", async () => {
      const header = await agent.sign();
      const answer = await agent.post(BIG, paidBy(header));
      await expectRefused(answer, 402, /another body has another price/);
      expect(gateway.facilitator.calls.verify).toBe(0);
    });

    test("a wallet without a coin", async () => {
      const poor = await makePayer([]);
      const header = await agent.sign({ payer: poor });
      await expectRefused(await agent.post(SMALL, paidBy(header)), 402, /payment_required/);
    });
  });

  describe("what is no payment: 400 that says why", () => {
    /** A true payment with something changed. */
    const changed = async (
      change: (payment: JsonObject, inner: JsonObject) => void,
      token = gateway.chain.tokens.usdc,
    ): Promise<string> => {
      const payment = structuredClone(readPayment(await agent.sign({ token })));
      change(payment, payment.payload);
      return encodePaymentSignatureHeader(payment);
    };
    const encode = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString("base64");
    const auth = (inner: JsonObject): JsonObject => inner["authorization"] as JsonObject;
    const permit = (inner: JsonObject): JsonObject => inner["permit2Authorization"] as JsonObject;
    const usdt18 = () => gateway.chain.tokens.usdt18;
    const cases: Record<string, () => string | Promise<string>> = {
      "no base64": () => "%%%",
      "base64 of no JSON": () => Buffer.from("hello").toString("base64"),
      null: () => encode(null),
      "a number": () => encode(7),
      "an empty object": () => encode({}),
      "the first version": () => changed((payment) => (payment["x402Version"] = 1)),
      "no payload": () => changed((payment) => delete payment["payload"]),
      "an empty payload": () => changed((payment) => (payment["payload"] = {})),
      "a payload that is a list": () => changed((payment) => (payment["payload"] = [])),
      "no authorization": () => changed((_payment, inner) => delete inner["authorization"]),
      "an authorization that is null": () =>
        changed((_payment, inner) => (inner["authorization"] = null)),
      "a permit that is null": () =>
        changed((_payment, inner) => (inner["permit2Authorization"] = null)),
      "a payer that is no address": () =>
        changed((_payment, inner) => (auth(inner)["from"] = "0x12")),
      "a nonce that is too short": () =>
        changed((_payment, inner) => (auth(inner)["nonce"] = "0x12")),
      "an amount that is negative": () =>
        changed((_payment, inner) => (auth(inner)["value"] = "-1")),
      "an amount that is a number": () =>
        changed((_payment, inner) => (auth(inner)["value"] = 1_000)),
      "an amount of 200 digits": () =>
        changed((_payment, inner) => (auth(inner)["value"] = "9".repeat(200))),
      "a time that is no number": () =>
        changed((_payment, inner) => (auth(inner)["validBefore"] = "soon")),
      "a signature of a contract": () =>
        changed((_payment, inner) => (inner["signature"] = `0x${"ab".repeat(300)}`)),
      "no signature": () => changed((_payment, inner) => delete inner["signature"]),
      "a permit without a spender": () =>
        changed((_payment, inner) => delete permit(inner)["spender"], usdt18()),
      "a permit without what is permitted": () =>
        changed((_payment, inner) => delete permit(inner)["permitted"], usdt18()),
      "a permit without a witness": () =>
        changed((_payment, inner) => delete permit(inner)["witness"], usdt18()),
      "a permit's signature of a contract": () =>
        changed((_payment, inner) => (inner["signature"] = `0x${"ab".repeat(300)}`), usdt18()),
      "a permit's nonce as hexadecimal digits": () =>
        changed((_payment, inner) => (permit(inner)["nonce"] = "0xff"), usdt18()),
      "another scheme": () =>
        changed((payment) => ((payment["accepted"] as JsonObject)["scheme"] = "upto")),
      "a network of control characters": () =>
        changed((payment) => ((payment["accepted"] as JsonObject)["network"] = "eip155:\u0000")),
      "an asset of control characters": () =>
        changed((payment) => ((payment["accepted"] as JsonObject)["asset"] = "0x\u0000\ud800")),
      "an amount that is no number": () =>
        changed((payment) => ((payment["accepted"] as JsonObject)["amount"] = "1e3")),
      "accepted is null": () => changed((payment) => (payment["accepted"] = null)),
    };
    test.for(Object.keys(cases))("%s", async (name) => {
      const header = (await cases[name]?.()) ?? "";
      const answer = await agent.post(SMALL, paidBy(header));
      await expectRefused(answer, 400, /PAYMENT-SIGNATURE/);
      expect(gateway.facilitator.calls.verify).toBe(0);
    });

    test("two payments in one request", async () => {
      const [one, other] = [await agent.sign(), await agent.sign()];
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: [
          ["content-type", "application/json"],
          ["payment-signature", one],
          ["payment-signature", other],
        ],
        body: JSON.stringify(SMALL),
      });
      await expectRefused(answer, 400, /PAYMENT-SIGNATURE/);
    });

    test("a header of more than 16 KB is refused by the server itself", async () => {
      const answer = await agent.post(SMALL, paidBy("A".repeat(17 * 1024)));
      expect(answer.status).toBe(431);
      expect(gateway.upstream.requests).toHaveLength(0);
    });
  });

  describe("numbers beyond all measure", () => {
    test.for(["validBefore", "value"] as const)("%s of 77 digits: 402", async (field) => {
      const payment = structuredClone(readPayment(await agent.sign()));
      const inner = payment.payload["authorization"] as JsonObject;
      const huge = `1${"0".repeat(76)}`;
      inner[field] = huge;
      if (field === "value") (payment as { accepted: JsonObject }).accepted["amount"] = huge;
      const answer = await agent.post(SMALL, paidBy(encodePaymentSignatureHeader(payment)));
      await expectRefused(answer, 402, /payment_required/);
    });

    test("a signature that is good for ever: 402, for it would be watched for ever", async () => {
      const header = await agent.sign({ signed: { maxTimeoutSeconds: 10 ** 9 } });
      const answer = await agent.post(SMALL, paidBy(header));
      await expectRefused(answer, 402, /longer than/);
    });

    test("far more than the price: 402, for a slip must not cost a fortune", async () => {
      const much = { amount: "200000000" };
      await gateway.chain.mint(gateway.chain.tokens.usdc, gateway.payer.address, 200_000_000n);
      const header = await agent.sign({ signed: much, accepted: much });
      await expectRefused(await agent.post(SMALL, paidBy(header)), 402, /more than/);
    });
  });

  test("a payment of the first version is none: 402 with the price", async () => {
    const answer = await agent.post(SMALL, { "x-payment": await agent.sign() });
    await expectRefused(answer, 402, /payment_required/);
  });

  test("a little more than the price is credit", async () => {
    const more = { amount: "1500" };
    const header = await agent.sign({ signed: more, accepted: more });
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(200);
  });

  describe("a payment that was used: 409", () => {
    test("for the same body, whatever has become of its answer", async () => {
      const header = await agent.sign();
      const first = await agent.post(SMALL, paidBy(header));
      expect(first.status).toBe(200);
      const again = await agent.post(SMALL, paidBy(header));
      expect(again.status).toBe(409);
      expect(again.headers.get("x-should-retry")).toBe("false");
      const { error } = (await again.json()) as { error: { message: string; code: string } };
      expect(error.code).toBe("payment_used");
      expect(error.message).toContain(first.headers.get("x-request-id"));
      expect(gateway.upstream.requests).toHaveLength(1);
    });

    test("for another body, a bigger one, another path, in other clothes", async () => {
      const header = await agent.sign();
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(200);
      const bodies = [{ ...SMALL, messages: [{ role: "user", content: "Yo" }] }, BIG];
      const statuses = [];
      for (const body of bodies) statuses.push((await agent.post(body, paidBy(header))).status);
      const responses = agentOf(gateway, "/v1/messages");
      statuses.push((await responses.post(SMALL, paidBy(header))).status);
      const payment = readPayment(header);
      const dressed = encodePaymentSignatureHeader({ ...payment, extensions: { other: {} } });
      statuses.push((await agent.post(SMALL, paidBy(dressed))).status);
      const { accepted } = payment;
      const upper = { ...accepted, asset: accepted.asset.toLowerCase() };
      const shouting = encodePaymentSignatureHeader({ ...payment, accepted: upper });
      statuses.push((await agent.post(SMALL, paidBy(shouting))).status);
      expect(statuses).toEqual([409, 409, 409, 409, 409]);
      expect(gateway.upstream.requests).toHaveLength(1);
    });
  });

  test.for(["usdc", "usdt", "usdt18"] as const)(
    "20 copies at once in %s: one answer, one call of the provider, one charge",
    async (name) => {
      const header = await agent.sign({ token: gateway.chain.tokens[name] });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => agent.post(SMALL, paidBy(header))),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409 || status === 503)).toHaveLength(19);
      expect(gateway.upstream.requests).toHaveLength(1);
      const winner = answers.find(({ status }) => status === 200)?.headers.get("x-request-id");
      const charges = await store.core
        .selectFrom("ledger_transfers")
        .select(["amount", "kind"])
        .where("request_id", "=", winner ?? "")
        .where("kind", "=", "charge")
        .execute();
      expect(charges.map(({ amount }) => Number(amount))).toEqual([4_500]);
    },
  );
});
