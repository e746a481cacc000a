import { creditBalance } from "#ledger/credits.ts";
import { checkInvariants } from "#ledger/check-invariants.ts";
import { openLedger } from "#ledger/open-ledger.ts";
import type { Post } from "#ledger/commands.ts";
import { BOOKS, projectAccount, walletOf } from "#ledger/ledger-state.ts";
import { openGatePay, type GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import { createLedgerStore } from "#store/ledger.ts";
import { findAccount } from "#store/ledger-reads.ts";
import type { RefundRow } from "#store/payment-refunds.ts";
import type { PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import { createDialer } from "#upstream/dialer.ts";
import type { TestDatabase } from "#test/databases.ts";
import { startFakeGatePay, type FakeGatePay } from "#test/payments/fake-gate-pay.ts";

/** The desk of Gate Pay over a real store and sockets, in front of the fake; time is the test's. */
export interface GatePayWorld {
  readonly fake: FakeGatePay;
  readonly desk: GatePayDesk;
  readonly store: Store;
  /** Reasons of orders that were set aside. */
  readonly mismatches: string[];
  /** Refunds that have ended, with their amounts. */
  readonly ended: string[];
  clock: number;
  order(usd?: string, idempotencyKey?: string): Promise<PaymentRow>;
  /** An order that was paid and credited. */
  paidOrder(usd?: string): Promise<PaymentRow>;
  refund(row: PaymentRow, idempotencyKey: string, usd?: string): Promise<RefundRow>;
  /** Takes credit off the wallet as a request would. */
  spend(nanoUsd: bigint): Promise<void>;
  notify(row: PaymentRow): Promise<string>;
  row(id: string): Promise<PaymentRow>;
  /** Nano-USD in the organization's wallet. */
  balance(): Promise<bigint>;
  /** What came in less what went back, by the books; throws where they break a rule. */
  books(): Promise<bigint>;
  close(): Promise<void>;
}

export const tradeNo = (row: PaymentRow): string => orderFacts(row).merchantTradeNo;

const ORGANIZATION = "org_default";

export async function openGatePayWorld(database: TestDatabase): Promise<GatePayWorld> {
  const world = {
    clock: Date.parse("2026-11-30T00:00:00Z"),
    mismatches: [] as string[],
    ended: [] as string[],
  };
  const now = (): number => world.clock;
  const fake = await startFakeGatePay(now);
  const store = await database.open();
  const dialer = createDialer(() => new Set([fake.url]));
  const { core } = store;
  const ledger = openLedger({ store: createLedgerStore(store) });
  const desk = openGatePay({
    settings: {
      baseUrl: new URL(fake.url),
      clientId: fake.clientId,
      secret: fake.secret,
      currency: "USDT",
      returnUrl: "https://ai.example.com",
      cancelUrl: "https://ai.example.com",
      least: 1_000_000_000n,
      most: 1_000_000_000_000n,
    },
    core,
    secret: Buffer.from("a secret of this installation"),
    ledger,
    send: dialer.send,
    now,
    onMismatch: (_row, reason) => void world.mismatches.push(reason),
    onFault: () => undefined,
    onRefundEnded: (refund) => void world.ended.push(`${refund.state} ${refund.nano_usd}`),
    timeoutMs: 300,
  });
  const row = async (id: string): Promise<PaymentRow> =>
    core.selectFrom("payments").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const order = (usd = "25", idempotencyKey?: string): Promise<PaymentRow> =>
    desk.order({
      organizationId: ORGANIZATION,
      projectId: "proj_default",
      usd,
      buyer: "key_1",
      idempotencyKey,
    });
  const notify = (placed: PaymentRow): Promise<string> => {
    const sent = fake.notification({ merchantTradeNo: tradeNo(placed) });
    return desk.notified({ headers: sent.headers, body: Buffer.from(sent.body) });
  };
  let spent = 0;
  return Object.assign(world, {
    fake,
    desk,
    store,
    order,
    notify,
    paidOrder: async (usd?: string) => {
      const placed = await order(usd);
      fake.end(tradeNo(placed), "PAID");
      await notify(placed);
      return row(placed.id);
    },
    refund: ({ id: paymentId }: PaymentRow, idempotencyKey: string, usd?: string) =>
      desk.refund({ organizationId: ORGANIZATION, paymentId, usd, idempotencyKey }),
    spend: async (nanoUsd: bigint) => {
      await ledger.run<Post>({
        type: "post",
        id: `spent:${spent++}`,
        at: now(),
        kind: "charge",
        debitAccount: walletOf(ORGANIZATION),
        creditAccount: projectAccount("proj_default"),
        amount: nanoUsd,
        organizationId: ORGANIZATION,
      });
    },
    row,
    balance: async () => (await creditBalance(core, ORGANIZATION)).balance,
    books: async () => {
      const violations = await checkInvariants(core);
      if (violations.length > 0) throw new Error(JSON.stringify(violations));
      const account = await findAccount(core, BOOKS.payments);
      return BigInt(account?.debits ?? 0) - BigInt(account?.credits ?? 0);
    },
    close: async () => {
      await ledger.idle();
      await dialer.close();
      await fake.stop();
      await store.close();
    },
  });
}
