import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCli } from "#cli/run.ts";
import { openStore, type Store } from "#store/store.ts";
import { changePayment, type PaymentChange, type PaymentRow } from "#store/payments.ts";
import { reorganize } from "#test/chain/mishaps.ts";
import { payingFetch } from "#test/chain/payer.ts";
import { createTestCli } from "#test/cli.ts";
import { json } from "#test/fake-upstream.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";
import { setUpGateway, type ApiClient } from "#test/sign-in-client.ts";

const ANSWER = json({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});
const OWN = "organization_id=org_default";
const STATES = ["claimed", "unknown", "refused", "paid", "credited", "failed", "reversed"] as const;

/** The page of one payment. */
interface Payment {
  readonly id: string;
  readonly state: string;
  readonly transaction: string;
  readonly reason: string | null;
}

describe("operators look after payments", () => {
  let gateway: PaidGateway;
  let admin: ApiClient;
  let store: Store;
  beforeAll(async () => {
    gateway = await startPaidGateway();
    admin = await setUpGateway(gateway);
    store = await openStore({ home: gateway.home });
    gateway.upstream.answer(ANSWER);
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
  });

  /** A request that is paid by itself; gives the id of its payment. */
  async function pay(): Promise<string> {
    const { payer, chain, url } = gateway;
    const response = await payingFetch(payer, { token: chain.tokens.usdc })(
      `${url}/v1/chat/completions`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "openai/gpt-4o-mini",
          max_tokens: 100,
          messages: [{ role: "user", content: "Hi" }],
        }),
      },
    );
    expect(response.status).toBe(200);
    await response.text();
    return response.headers.get("x-payment-id") ?? "";
  }
  const get = async <Body>(path: string): Promise<Body> =>
    (await (await admin.request("GET", path)).json()) as Body;
  const show = (id: string): Promise<Payment> => get(`/api/payments/${id}`);
  const set = async (id: string, change: PaymentChange): Promise<void> => {
    await changePayment(store.core, { id, from: STATES }, change);
  };
  const reconcile = async (id: string): Promise<Payment> => {
    const answer = await admin.request("POST", `/api/payments/${id}/reconcile`);
    expect(answer.status).toBe(200);
    return (await answer.json()) as Payment;
  };
  const rowOf = (id: string): Promise<PaymentRow> =>
    store.core.selectFrom("payments").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

  test("find them by payer, transaction and state, and take them along as CSV", async () => {
    const id = await pay();
    const payment = await show(id);
    expect(payment).toMatchObject({ object: "payment", state: "credited", amount_usd: "0.001" });
    const { address } = gateway.payer;
    for (const filter of [
      `payer=${address}`,
      `transaction=${payment.transaction}`,
      `owner=${address}`,
    ]) {
      const page = await get<{ data: Payment[] }>(`/api/payments?${filter}`);
      expect([filter, page.data.map((one) => one.id)]).toEqual([filter, [id]]);
    }
    expect(await get("/api/payments?state=unknown")).toMatchObject({ data: [], has_more: false });
    const csv = await (await admin.request("GET", `/api/payments.csv?${OWN}`)).text();
    expect(csv.split("\r\n")[0]).toContain("id,created_at,kind,state,network");
    expect(csv).toContain(`${id},`);
  });

  test("a payment that was closed by mistake is credited once the chain is asked", async () => {
    const id = await pay();
    const { transaction } = await show(id);
    await set(id, {
      state: "failed",
      reason: "it was never settled",
      transaction_hash: null,
      transfer_ref: null,
    });
    expect(await reconcile(id)).toMatchObject({ state: "credited", transaction });
    // Its deposit is in the ledger once.
    const deposits = await store.core
      .selectFrom("ledger_transfers")
      .selectAll()
      .where("id", "=", `deposit:${id}`)
      .execute();
    expect(deposits).toHaveLength(1);
  });

  test("one that a request works at this moment is left to it", async () => {
    const id = await pay();
    await set(id, { state: "claimed", transfer_ref: null, updated_at: Date.now() });
    expect((await reconcile(id)).state).toBe("claimed");
    await set(id, { updated_at: Date.now() - 60_000 });
    expect((await reconcile(id)).state).toBe("credited");
  });

  test("what the chain has taken back is taken back, and in the revenue", async () => {
    const id = await pay();
    const { block, valid_before: end } = await rowOf(id);
    await reorganize(gateway.chain, 1);
    await set(id, { block: block ?? 1 });
    // As long as it may come again nothing is decided.
    expect((await reconcile(id)).state).toBe("credited");
    expect(end).toBeGreaterThan(Date.now());
    await store.core
      .updateTable("payments")
      .set({ valid_before: Date.now() - 120_000 })
      .where("id", "=", id)
      .execute();
    expect(await reconcile(id)).toMatchObject({
      state: "reversed",
      reason: "its block was taken back",
    });
  });

  test("revenue is what the ledger says, by day, network and asset", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const report = (by: string): Promise<{ data: object[]; total: Record<string, string> }> =>
      get(`/api/reports/revenue?${OWN}&from=${today}&to=${today}&by=${by}`);
    const { total, ...byDay } = await report("day");
    expect(byDay).toMatchObject({ data: [{ day: today, payments: 4 }], time_zone: "UTC" });
    expect(total).toMatchObject({ deposits_usd: "0.004", reversals_usd: "0.001", other_usd: "0" });
    const nano = (text = ""): number => Math.round(Number(text) * 1e9);
    const { deposits_usd: paid, reversals_usd: back, charges_usd: charged } = total;
    expect(nano(charged)).toBeGreaterThan(0);
    const { outstanding_usd: left } = byDay as unknown as { outstanding_usd: string };
    expect(nano(left)).toBe(nano(paid) - nano(back) - nano(charged));
    const { network, tokens } = gateway.chain;
    expect((await report("network")).data).toEqual([
      { network, payments: 4, deposits_usd: "0.004", reversals_usd: "0.001" },
    ]);
    expect((await report("asset")).data).toMatchObject([
      { network, asset: tokens.usdc.address.toLowerCase() },
    ]);
    const backwards = `from=${today}&to=2020-01-01`;
    expect((await admin.request("GET", `/api/reports/revenue?${OWN}&${backwards}`)).status).toBe(
      400,
    );
  });

  test("turnpike payments does the same beside the running gateway", async () => {
    const id = await pay();
    await set(id, { state: "unknown", reason: "no answer", transfer_ref: null });
    const cli = createTestCli({ TURNPIKE_HOME: gateway.home });
    expect(await runCli(["payments", "reconcile", id, "--json"], cli.io)).toBe(0);
    expect(JSON.parse(cli.out.join("\n"))).toMatchObject({ id, state: "credited" });
    const { data } = await get<{ data: object[] }>(`/api/audit?target_id=${id}`);
    expect(data).toMatchObject([
      {
        action: "payments.reconcile",
        actor: { name: "operator", via: "cli:cli" },
        before: { state: "unknown", reason: "no answer" },
        after: { state: "credited" },
      },
    ]);
    cli.remove();
  });

  test("a chain that cannot be asked is said so", async () => {
    const id = await pay();
    await set(id, { state: "failed", transfer_ref: null });
    await gateway.chain.stop();
    const answer = await admin.request("POST", `/api/payments/${id}/reconcile`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "unavailable",
      detail: expect.stringContaining("payments.x402.networks") as string,
    });
  });
});
