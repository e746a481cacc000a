import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse, VerifyResponse } from "@x402/core/types";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import {
  cancel,
  drain,
  frontRun,
  reorganize,
  resumeMining,
  stopMining,
} from "#test/chain/mishaps.ts";
import { offer, RECIPIENT } from "#test/chain/offer.ts";
import { makePayer, paymentHeader, readPayment, type Tampering } from "#test/chain/payer.ts";
import { startChain, type TestChain, type TestToken } from "#test/chain/start-chain.ts";
import {
  NO_FAULTS,
  startFacilitator,
  type TestFacilitator,
} from "#test/chain/start-facilitator.ts";

const PRICE = 1000n;

describe("startFacilitator", () => {
  let chain: TestChain;
  let other: TestChain;
  let facilitator: TestFacilitator;
  let client: HTTPFacilitatorClient;
  let payer: PrivateKeyAccount;
  let usdc: TestToken;

  beforeAll(async () => {
    [chain, other] = await Promise.all([startChain(), startChain({ chainId: 31_338 })]);
    facilitator = await startFacilitator([chain, other]);
    client = new HTTPFacilitatorClient({ url: facilitator.url });
    payer = await makePayer([chain, other]);
    usdc = chain.tokens.usdc;
  });
  afterEach(() => void Object.assign(facilitator.faults, NO_FAULTS));
  afterAll(async () => {
    await facilitator.stop();
    await Promise.all([chain.stop(), other.stop()]);
  });

  interface Order extends Tampering {
    readonly on?: TestChain;
    readonly token?: TestToken;
    readonly from?: PrivateKeyAccount;
    readonly changes?: Partial<PaymentRequirements>;
  }

  /** A signed payment, and what was asked for. */
  async function order({
    on = chain,
    token = usdc,
    from = payer,
    changes = {},
    ...tampering
  }: Order = {}) {
    const required = offer(on, token, changes);
    const [requirements] = required.accepts as [PaymentRequirements];
    const header = await paymentHeader(from, required, tampering);
    return { header, requirements, payload: readPayment(header) };
  }
  type Ordered = Awaited<ReturnType<typeof order>>;

  const verify = ({ payload, requirements }: Ordered): Promise<VerifyResponse> =>
    client.verify(payload, requirements);
  const settle = ({ payload, requirements }: Ordered): Promise<SettleResponse> =>
    client.settle(payload, requirements);
  const received = (token = usdc, on = chain): Promise<bigint> => on.balance(token, RECIPIENT);

  test("serves both schemes on every chain", async () => {
    const { kinds, signers } = await client.getSupported();
    expect(kinds.map(({ scheme, network }) => `${scheme} ${network}`).toSorted()).toEqual([
      "exact eip155:31337",
      "exact eip155:31338",
      "upto eip155:31337",
      "upto eip155:31338",
    ]);
    expect(signers).toEqual({ "eip155:*": [facilitator.address] });
  });

  test.for(["usdc", "usdt", "usdt18"] as const)("moves the money once: %s", async (name) => {
    for (const on of [chain, other]) {
      const token = on.tokens[name];
      const before = await received(token, on);
      const ordered = await order({ on, token });
      expect(await verify(ordered)).toMatchObject({ isValid: true, payer: payer.address });
      const settled = await settle(ordered);
      expect(settled).toMatchObject({ success: true, network: on.network, payer: payer.address });
      const receipt = await on.client.getTransactionReceipt({
        hash: settled.transaction as `0x${string}`,
      });
      expect(receipt.status).toBe("success");
      expect((await settle(ordered)).success).toBe(false);
      expect(await received(token, on)).toBe(before + BigInt(ordered.requirements.amount));
    }
  });

  test("settles fifty payments at once", async () => {
    const before = await received();
    const orders = await Promise.all(Array.from({ length: 50 }, () => order()));
    const settled = await Promise.all(orders.map(settle));
    expect(settled.filter(({ success }) => !success)).toEqual([]);
    expect(await received()).toBe(before + 50n * PRICE);
  });

  test("is not stuck by a payment that fails among others", async () => {
    const spent = await order();
    await frontRun(chain, spent.header);
    const orders = await Promise.all(Array.from({ length: 10 }, () => order()));
    orders.splice(5, 0, spent);
    const settled = await Promise.all(orders.map(settle));
    expect(settled.map(({ success }) => success)).toEqual(orders.map((each) => each !== spent));
    expect((await settle(await order())).success).toBe(true);
  });

  test("charges less than was signed, in the scheme upto", async () => {
    const token = chain.tokens.usdt18;
    const extra = { assetTransferMethod: "permit2", facilitatorAddress: facilitator.address };
    const ordered = await order({ token, changes: { scheme: "upto", extra } });
    const before = await received(token);
    const actual = { ...ordered.requirements, amount: "1234" };
    expect(await client.settle(ordered.payload, actual)).toMatchObject({
      success: true,
      amount: "1234",
    });
    expect(await received(token)).toBe(before + 1234n);
  });

  test.for<[string, Order, string]>([
    [
      "less signed than asked",
      { signed: { amount: "999" } },
      "invalid_exact_evm_payload_authorization_value_mismatch",
    ],
    [
      "another recipient",
      { signed: { payTo: "0x00000000000000000000000000000000000000b2" } },
      "invalid_exact_evm_recipient_mismatch",
    ],
    ["another network", { signed: { network: "eip155:31338" } }, "invalid_exact_evm_signature"],
    [
      "another network accepted",
      { accepted: { network: "eip155:31338" } },
      "invalid_exact_evm_network_mismatch",
    ],
    [
      "another token",
      { signed: { asset: "0x00000000000000000000000000000000000000c3" } },
      "invalid_exact_evm_signature",
    ],
    [
      "expired",
      { signed: { maxTimeoutSeconds: -1 } },
      "invalid_exact_evm_payload_authorization_valid_before",
    ],
  ])("refuses: %s", async ([, wrong, reason]) => {
    const ordered = await order(wrong);
    expect(await verify(ordered)).toMatchObject({ isValid: false, invalidReason: reason });
    expect(await settle(ordered)).toMatchObject({
      success: false,
      errorReason: reason,
      transaction: "",
    });
  });

  test("says that a payer has not enough", async () => {
    const poor = await makePayer([chain]);
    await drain({ chain, token: usdc, account: poor });
    await drain({ chain, token: chain.tokens.usdt18, account: poor });
    expect(await verify(await order({ from: poor }))).toMatchObject({
      invalidReason: "invalid_exact_evm_insufficient_balance",
    });
    expect(await verify(await order({ from: poor, token: chain.tokens.usdt18 }))).toMatchObject({
      invalidReason: "permit2_insufficient_balance",
    });
  });

  test("says that a payer does not let Permit2 spend", async () => {
    const token = { ...chain.tokens.usdt, method: "permit2" } as const;
    expect(await verify(await order({ token }))).toMatchObject({
      invalidReason: "permit2_allowance_required",
    });
  });

  test("says that an authorization was used by a stranger, who paid for us", async () => {
    const before = await received();
    const ordered = await order();
    await frontRun(chain, ordered.header);
    expect(await received()).toBe(before + PRICE);
    expect(await verify(ordered)).toMatchObject({
      invalidReason: "invalid_exact_evm_nonce_already_used",
    });
    expect(await settle(ordered)).toMatchObject({ success: false, transaction: "" });
  });

  test.for(["usdc", "usdt18"] as const)("a cancelled payment moves nothing: %s", async (name) => {
    const token = chain.tokens[name];
    const before = await received(token);
    const ordered = await order({ token });
    await cancel(chain, payer, ordered.header);
    expect((await verify(ordered)).isValid).toBe(false);
    expect((await settle(ordered)).success).toBe(false);
    expect(await received(token)).toBe(before);
  });

  test("is pending while there is no block, and settled by the same payment afterwards", async () => {
    const before = await received();
    const impatient = await startFacilitator([chain], { confirmationTimeoutMs: 200 });
    const there = new HTTPFacilitatorClient({ url: impatient.url });
    const { payload, requirements } = await order();
    await stopMining(chain);
    const pending = await there.settle(payload, requirements);
    expect(pending).toMatchObject({ success: false, errorReason: "settlement_pending" });
    expect(await received()).toBe(before);
    await resumeMining(chain);
    const settled = await there.settle(payload, requirements);
    expect(settled).toMatchObject({ success: true, transaction: pending.transaction });
    expect(await received()).toBe(before + PRICE);
    await impatient.stop();
  });

  test("a reorganized chain has not the payment any more", async () => {
    const before = await received();
    const ordered = await order();
    expect((await settle(ordered)).success).toBe(true);
    await reorganize(chain, 1);
    expect(await received()).toBe(before);
    expect((await settle(ordered)).success).toBe(true);
    expect(await received()).toBe(before + PRICE);
  });

  test("down: hangs up", async () => {
    facilitator.faults.down = true;
    await expect(client.getSupported()).rejects.toThrow("fetch failed");
    await expect(verify(await order())).rejects.toThrow("fetch failed");
  });

  test("slow: the caller gives up", async () => {
    facilitator.faults.slowMs = 500;
    const impatient = new HTTPFacilitatorClient({ url: facilitator.url, timeoutMs: 100 });
    await expect(impatient.getSupported()).rejects.toThrow("timed out after 100ms");
  });

  test("ignores settle: verifies, and moves nothing", async () => {
    const before = await received();
    facilitator.faults.ignoresSettle = true;
    const ordered = await order();
    expect((await verify(ordered)).isValid).toBe(true);
    await expect(settle(ordered)).rejects.toThrow("fetch failed");
    expect(await received()).toBe(before);
  });

  test("loses its answer: the money has moved", async () => {
    const before = await received();
    facilitator.faults.losesAnswer = true;
    await expect(settle(await order())).rejects.toThrow("fetch failed");
    expect(await received()).toBe(before + PRICE);
  });

  test("denies: the money has moved", async () => {
    const before = await received();
    facilitator.faults.deniesSuccess = true;
    expect(await settle(await order())).toMatchObject({ success: false, transaction: "" });
    expect(await received()).toBe(before + PRICE);
  });

  test("stays pending: the money has moved", async () => {
    const before = await received();
    facilitator.faults.staysPending = true;
    const { success, errorReason, transaction } = await settle(await order());
    expect({ success, errorReason }).toEqual({ success: false, errorReason: "settlement_pending" });
    expect(transaction).toMatch(/^0x[0-9a-f]{64}$/);
    expect(await received()).toBe(before + PRICE);
  });

  test("invents: nothing has moved, and there is no such transaction", async () => {
    const before = await received();
    facilitator.faults.inventsSuccess = true;
    const { success, transaction } = await settle(await order());
    expect(success).toBe(true);
    const hash = transaction as `0x${string}`;
    await expect(chain.client.getTransactionReceipt({ hash })).rejects.toThrow(
      "could not be found",
    );
    expect(await received()).toBe(before);
  });

  test("supports elsewhere: names a network that it does not serve", async () => {
    facilitator.faults.supportsElsewhere = true;
    const { kinds } = await client.getSupported();
    expect(new Set(kinds.map(({ network }) => network))).toEqual(new Set(["eip155:1"]));
  });

  test("serves only those who have its key, and counts all calls", async () => {
    const guarded = await startFacilitator([chain], { authorization: "Bearer secret" });
    const { url } = guarded;
    const headers = { supported: { authorization: "Bearer secret" } };
    const welcome = new HTTPFacilitatorClient({ url, createAuthHeaders: async () => headers });
    await expect(new HTTPFacilitatorClient({ url }).getSupported()).rejects.toThrow("401");
    expect((await welcome.getSupported()).kinds).toHaveLength(2);
    expect(guarded.calls).toEqual({ verify: 0, settle: 0, supported: 2 });
    await guarded.stop();
  });
});
