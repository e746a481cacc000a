import { decodePaymentResponseHeader, encodePaymentSignatureHeader } from "@x402/core/http";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import type { JsonObject } from "#lib/json.ts";
import type { Store } from "#store/store.ts";
import {
  allowPermit2,
  makePayer,
  payingFetch,
  readPayment,
  signInHeader,
} from "#test/chain/payer.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { json, status, type Script } from "#test/fake-upstream.ts";
import { archiveBudgets, directoryRead, setBudget } from "#test/govern.ts";
import {
  agentOf,
  ANSWER,
  ANSWER_COST,
  paidBy,
  SMALL,
  type Agent,
} from "#test/payments/paying-agent.ts";
import { expectBooksToMatch, readBooks } from "#test/payments/payment-books.ts";
import {
  PAY_TO,
  startPaidGateway,
  UPTO,
  type PaidGateway,
} from "#test/payments/start-paid-gateway.ts";
import {
  LONG,
  LONG_ANSWER,
  LONG_COST,
  LONG_UNITS,
  lost,
  rowOf,
} from "#test/payments/upto-answers.ts";

const LEAST_UNITS = 1_000n;

describeOnEach("payments by upto, settled after the answer", (make) => {
  let database: TestDatabase;
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  beforeAll(async () => {
    database = await make();
    gateway = await startPaidGateway({ database, x402: UPTO });
    store = await database.open();
    agent = agentOf(gateway);
    const { chain, payer: account } = gateway;
    await allowPermit2({ chain, token: chain.tokens.usdc, account });
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
    await database.remove();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(LONG_ANSWER));
    gateway.upstream.requests.length = 0;
    Object.assign(gateway.facilitator.calls, { verify: 0, settle: 0 });
  });
  afterEach(async () => {
    await expectBooksToMatch(store, gateway.chain);
  });

  const received = (): Promise<bigint> => gateway.chain.balance(gateway.chain.tokens.usdc, PAY_TO);
  const sign = (body: object = LONG) => agent.sign({ body, scheme: "upto" });
  test("is offered for what is not streamed, behind exact, in a header of less than 8 KiB", async () => {
    const answer = await agent.post(LONG);
    expect(answer.headers.get("payment-required")?.length).toBeLessThan(8 * 1024);
    const { accepts } = await agent.quote(LONG);
    expect(accepts.map(({ scheme }) => scheme)).toEqual(["exact", "exact", "exact", "upto"]);
    expect(accepts[3]?.extra["facilitatorAddress"]).toBe(gateway.facilitator.address);
    const schemes = async (body: object): Promise<readonly string[]> =>
      (await agent.quote(body)).accepts.map(({ scheme }) => scheme);
    expect(await schemes({ ...LONG, stream: true })).not.toContain("upto");
    const topUp = agentOf(gateway, "/v1/x402/topup");
    const { accepts: ofCredit } = await topUp.quote({ usd: "0.5" });
    expect(ofCredit.map(({ scheme }) => scheme)).not.toContain("upto");
  });

  test("what the answer costs is settled, charged, and told; nothing is left", async () => {
    const [before, books, units] = [await lost(store), await readBooks(store), await received()];
    const header = await sign();
    const answer = await agent.post(LONG, paidBy(header));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ choices: [{}] });
    const receipt = decodePaymentResponseHeader(answer.headers.get("payment-response") ?? "");
    expect(receipt).toMatchObject({ success: true, amount: String(LONG_UNITS) });
    expect((await received()) - units).toBe(LONG_UNITS);
    const after = await readBooks(store);
    expect(after.deposits - books.deposits).toBe(LONG_UNITS * 1_000n);
    expect(after.charges - books.charges).toBe(LONG_COST);
    expect(await lost(store)).toBe(before);
    expect(await rowOf(store, header)).toMatchObject({
      kind: "upto",
      state: "credited",
      amount: String(LONG_UNITS),
      request_id: answer.headers.get("x-request-id"),
    });
  });

  test("at least the least price is; what is left of that is credit", async () => {
    gateway.upstream.answer(json(ANSWER));
    const [books, units] = [await readBooks(store), await received()];
    expect((await agent.post(LONG, paidBy(await sign()))).status).toBe(200);
    expect((await received()) - units).toBe(LEAST_UNITS);
    const { balances } = await readBooks(store);
    expect(balances - books.balances).toBe(LEAST_UNITS * 1_000n - ANSWER_COST);
  });

  test("never more than was signed, whatever a provider counts", async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 50_000, total_tokens: 50_010 };
    gateway.upstream.answer(json({ ...ANSWER, usage }));
    const units = await received();
    const header = await sign();
    const signed = BigInt(readPayment(header).accepted.amount);
    const answer = await agent.post(LONG, paidBy(header));
    expect(answer.status).toBe(200);
    expect((await received()) - units).toBeLessThanOrEqual(signed);
  });

  test("nothing where there is no answer: the payment is given up, and the next one is served", async () => {
    gateway.upstream.answer(status(400, { error: { message: "no" } }), json(LONG_ANSWER));
    const units = await received();
    const header = await sign();
    const failed = await agent.post(LONG, paidBy(header));
    expect(failed.status).toBe(400);
    expect(failed.headers.get("payment-response")).toBeNull();
    expect(gateway.facilitator.calls.settle).toBe(0);
    expect(await received()).toBe(units);
    await vi.waitUntil(async () => (await rowOf(store, header))?.state === "refused");
    const again = await agent.post(LONG, paidBy(header));
    expect(again.status).toBe(402);
    expect(await again.text()).toContain("nothing was owed");
    expect((await agent.post(LONG, paidBy(await sign()))).status).toBe(200);
  });

  describe("official clients", () => {
    const ask = (options: { readonly exactOnly?: boolean }) =>
      new OpenAI({
        baseURL: `${gateway.url}/v1`,
        apiKey: "x402",
        fetch: payingFetch(gateway.payer, { token: gateway.chain.tokens.usdc, ...options }),
      }).chat.completions
        .create(LONG as OpenAI.ChatCompletionCreateParamsNonStreaming)
        .withResponse();
    const amountOf = (response: Response): string | undefined =>
      decodePaymentResponseHeader(response.headers.get("payment-response") ?? "").amount;

    test("that know upto pay by it what the answer costs", async () => {
      const { data, response } = await ask({});
      expect(data.choices[0]?.message.content).toBe("Hello there");
      expect(amountOf(response)).toBe(String(LONG_UNITS));
    });

    test("that do not pay by exact, and have credit", async () => {
      const { data, response } = await ask({ exactOnly: true });
      expect(data.choices[0]?.message.content).toBe("Hello there");
      expect(Number(amountOf(response))).toBeGreaterThan(6_000);
    });
  });

  describe("what does not do", () => {
    const expectRefused = async (answer: Response, code: number, text: RegExp): Promise<void> => {
      const body = await answer.text();
      expect({ status: answer.status, body }).toEqual({
        status: code,
        body: expect.stringMatching(text),
      });
      expect(gateway.upstream.requests).toHaveLength(0);
      expect(gateway.facilitator.calls.settle).toBe(0);
    };

    test("for a stream: 402, and how it is paid for", async () => {
      const body = { ...LONG, stream: true };
      await expectRefused(
        await agent.post(body, paidBy(await sign())),
        402,
        /paid before by .*exact/,
      );
    });

    test("for a top-up: 402", async () => {
      const topUp = agentOf(gateway, "/v1/x402/topup");
      const answer = await topUp.post({ usd: "0.5" }, paidBy(await sign()));
      await expectRefused(answer, 402, /paid before by .*exact/);
    });

    test("for a bigger body: 402 with its price", async () => {
      const header = await sign();
      const bigger = { ...LONG, max_tokens: 20_000 };
      await expectRefused(await agent.post(bigger, paidBy(header)), 402, /another price/);
    });

    test("less than the price: 402", async () => {
      const less = { amount: "1000" };
      const header = await agent.sign({ body: LONG, scheme: "upto", signed: less, accepted: less });
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /payment_required/);
    });

    test("less signed than accepted: 402", async () => {
      const header = await agent.sign({ body: LONG, scheme: "upto", signed: { amount: "1000" } });
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /another amount/);
    });

    test("signed for another facilitator: 402", async () => {
      const { accepts } = await agent.quote(LONG, undefined, "upto");
      const extra = { ...accepts[0]?.extra, facilitatorAddress: PAY_TO };
      const header = await agent.sign({ body: LONG, scheme: "upto", signed: { extra } });
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /facilitator_mismatch/);
    });

    test("an end before an answer could be settled: 402", async () => {
      const header = await agent.sign({
        body: LONG,
        scheme: "upto",
        signed: { maxTimeoutSeconds: 15 },
      });
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /ends too soon/);
    });

    test("a wallet that has not let Permit2 spend: 402, with the reason", async () => {
      const stranger = await makePayer([gateway.chain]);
      const header = await agent.sign({ body: LONG, scheme: "upto", payer: stranger });
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /allowance_required/);
    });

    test("no facilitator in what is signed: 400", async () => {
      const payment = structuredClone(readPayment(await sign()));
      const permit = payment.payload["permit2Authorization"] as JsonObject;
      delete (permit["witness"] as JsonObject)["facilitator"];
      const header = encodePaymentSignatureHeader(payment);
      await expectRefused(await agent.post(LONG, paidBy(header)), 400, /facilitator/);
    });

    test("where a budget above the wallet is used up: nothing is claimed", async () => {
      const header = await sign();
      await setBudget(store, { id: "bud_agents", level: "project", limit: 1n });
      await directoryRead(store, gateway);
      await expectRefused(await agent.post(LONG, paidBy(header)), 402, /bud_agents/);
      expect(await rowOf(store, header)).toBeUndefined();
      await archiveBudgets(store);
      await directoryRead(store, gateway);
      expect((await agent.post(LONG, paidBy(header))).status).toBe(200);
    });
  });

  test("used once: the same again, and for another body, is told what it was used for", async () => {
    const header = await sign();
    const first = await agent.post(LONG, paidBy(header));
    expect(first.status).toBe(200);
    for (const body of [LONG, SMALL]) {
      const again = await agent.post(body, paidBy(header));
      expect(again.status).toBe(409);
      expect(await again.text()).toContain(first.headers.get("x-request-id"));
    }
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("20 copies at once: one answer, one call of the provider, one settlement", async () => {
    const units = await received();
    const header = await sign();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => agent.post(LONG, paidBy(header))),
    );
    const statuses = answers.map(({ status: code }) => code);
    expect(statuses.filter((code) => code === 200)).toHaveLength(1);
    expect(statuses.filter((code) => [409, 429, 503].includes(code))).toHaveLength(19);
    expect(gateway.upstream.requests).toHaveLength(1);
    expect((await received()) - units).toBe(LONG_UNITS);
  });

  /** A provider that answers when it is let. */
  const held = (): { readonly script: Script; readonly begun: Promise<void>; release(): void } => {
    let release = (): void => undefined;
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const open = new Promise<void>((resolve) => (release = resolve));
    const script: Script = async (request, response) => {
      begin();
      await open;
      await json(LONG_ANSWER)(request, response);
    };
    return { script, begun, release: () => release() };
  };

  test("a second one of a payer under way: 429, and the same payment is good after the first", async () => {
    const provider = held();
    gateway.upstream.answer(provider.script, json(LONG_ANSWER));
    const [first, second] = [await sign(), await sign()];
    const sent = agent.post(LONG, paidBy(first));
    await provider.begun;
    const copy = await agent.post(LONG, paidBy(first));
    expect(copy.status).toBe(503);
    expect(await copy.text()).toContain("same PAYMENT-SIGNATURE");
    const other = await agent.post(LONG, paidBy(second));
    expect(other.status).toBe(429);
    expect(await other.text()).toMatch(/uptoAtOnce.*exact/);
    expect(other.headers.get("x-should-retry")).toBe("false");
    const exact = await agent.post(SMALL, paidBy(await agent.sign()));
    expect(exact.status).toBe(200);
    provider.release();
    expect((await sent).status).toBe(200);
    const answer = await vi.waitUntil(async () => {
      const again = await agent.post(LONG, paidBy(second));
      return again.status === 429 ? undefined : again;
    });
    expect(answer.status).toBe(200);
  });

  test("a client that leaves pays for what it has used, and no more", async () => {
    const provider = held();
    gateway.upstream.answer(provider.script);
    const units = await received();
    const header = await sign();
    const leaving = new AbortController();
    const sent = agent.post(LONG, paidBy(header), leaving.signal).catch(() => undefined);
    await provider.begun;
    leaving.abort();
    await sent;
    await vi.waitUntil(async () => (await rowOf(store, header))?.state === "credited", {
      timeout: 5_000,
    });
    expect((await received()) - units).toBe(LEAST_UNITS);
    provider.release();
  });

  test("the least price buys credit that its wallet can prove and spend", async () => {
    gateway.upstream.answer(json(ANSWER));
    expect((await agent.post(SMALL, paidBy(await sign(SMALL)))).status).toBe(200);
    const proof = await signInHeader(gateway.payer, await agent.quote());
    const answer = await agent.post(SMALL, { "sign-in-with-x": proof });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("payment-response")).toBeNull();
  });
});

describe("where upto is off", () => {
  test("it is not offered, and not taken", async () => {
    const gateway = await startPaidGateway();
    const on = await startPaidGateway({
      chain: gateway.chain,
      facilitator: gateway.facilitator,
      x402: UPTO,
    });
    const { chain, payer: account } = gateway;
    await allowPermit2({ chain, token: chain.tokens.usdc, account });
    const agent = agentOf(gateway);
    const { accepts } = await agent.quote(LONG);
    expect(accepts.map(({ scheme }) => scheme)).toEqual(["exact", "exact", "exact"]);
    const header = await agentOf(on).sign({ body: LONG, scheme: "upto", payer: account });
    expect((await agent.post(LONG, paidBy(header))).status).toBe(402);
    await on.close();
    await gateway.close();
  });
});
