import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makePayer, payingFetch } from "#test/chain/payer.ts";
import { PAY_TO, startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

interface Told {
  readonly data: Record<string, unknown>;
}

describe("credit that is paid by x402", () => {
  let gateway: PaidGateway;
  let key: Record<string, string>;
  beforeAll(async () => {
    gateway = await startPaidGateway();
    key = { authorization: `Bearer ${gateway.key}` };
  });
  afterAll(() => gateway.close());

  const paying = (signsIn = false) =>
    payingFetch(gateway.payer, { token: gateway.chain.tokens.usdc, signsIn });
  const topUp = (body: unknown, headers: Record<string, string> = {}, fetcher = paying()) =>
    fetcher(`${gateway.url}/v1/x402/topup`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const read = async (path: string, fetcher: typeof fetch, headers = {}): Promise<Told> => {
    const answer = await fetcher(gateway.url + path, { headers });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Told;
  };
  const onChain = () => gateway.chain.balance(gateway.chain.tokens.usdc, PAY_TO);

  test("a wallet tops itself up, reads its balance and its ledger, and pays nothing for that", async () => {
    const before = await onChain();
    const answer = await topUp({ usd: "0.5" });
    expect(answer.status).toBe(200);
    const wallet = gateway.payer.address.toLowerCase();
    expect(await answer.json()).toMatchObject({
      data: { credited_usd: "0.5", wallet, balance_usd: "0.5" },
    });
    const id = answer.headers.get("x-payment-id") ?? "";
    expect(await read("/v1/credits", paying(true))).toMatchObject({
      data: { wallet, balance_usd: "0.5", held_usd: "0" },
    });
    expect(await read("/v1/credits/ledger", paying(true))).toMatchObject({
      data: [{ kind: "deposit", amount_usd: "0.5", id: `deposit:${id}` }],
      next_before: null,
    });
    expect((await onChain()) - before).toBe(500_000n);
    expect(await read(`/v1/payments/${id}`, fetch)).toMatchObject({
      data: { kind: "top-up", amount_usd: "0.5", payer: wallet },
    });
  });

  test("with a key it is the credit of its organization", async () => {
    const earlier = await read("/v1/credits", fetch, key);
    const answer = await topUp({ usd: "1" }, key);
    expect(await answer.json()).toMatchObject({ data: { credited_usd: "1", wallet: null } });
    const later = await read("/v1/credits", fetch, key);
    const gained = Number(later.data["balance_usd"]) - Number(earlier.data["balance_usd"]);
    expect(gained).toBeCloseTo(1, 9);
    const { data } = (await read("/v1/credits/ledger", fetch, key)) as unknown as {
      data: readonly Record<string, unknown>[];
    };
    expect(data[0]).toMatchObject({ kind: "deposit", amount_usd: "1" });
    expect(data.every(({ amount_usd: amount }) => amount !== "0.5")).toBe(true);
  });

  test.for([
    [{ usd: "0" }, "usd"],
    [{ usd: "1000" }, "usd"],
    [{ usd: 5 }, "usd"],
    [{ usd: "-1" }, "usd"],
    [{ usd: "1e3" }, "usd"],
    [{ amount: "1" }, "amount"],
  ] as const)("%j is refused, and nothing is taken", async ([body, field]) => {
    const before = await onChain();
    const answer = await topUp(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: field } });
    expect(await onChain()).toBe(before);
  });

  test("what is paid is what was named: another amount with the same payment is refused", async () => {
    const other = await makePayer([gateway.chain]);
    let sent: string | null = null;
    const spy: typeof fetch = (input, init) => {
      const request = new Request(input, init);
      sent = request.headers.get("payment-signature") ?? sent;
      return fetch(request);
    };
    const { wrapFetchWithPayment } = await import("@x402/fetch");
    const { payingClient } = await import("#test/chain/payer.ts");
    const fetcher = wrapFetchWithPayment(
      spy,
      payingClient(other, { token: gateway.chain.tokens.usdc }),
    );
    expect((await topUp({ usd: "0.2" }, {}, fetcher)).status).toBe(200);
    const signature = { "payment-signature": sent ?? "" };
    const replay = await topUp({ usd: "0.1" }, signature, fetch);
    expect(replay.status).toBe(409);
    expect((await topUp({ usd: "0.2" }, signature, fetch)).status).toBe(409);
  });

  test("who proves no wallet reads no account, and is offered nothing to pay", async () => {
    const answer = await fetch(`${gateway.url}/v1/credits`);
    expect(answer.status).toBe(402);
    expect(await answer.json()).toMatchObject({ x402: { accepts: [] } });
  });
});
