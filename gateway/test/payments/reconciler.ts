import { openLedger } from "#ledger/open-ledger.ts";
import { openChainReader } from "#payments/chain-reader.ts";
import { reconcilePayments, type Reconciled } from "#payments/reconcile-payments.ts";
import type { Address } from "#payments/x402-settings.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import type { TestChain } from "#test/chain/start-chain.ts";
import { PAY_TO } from "#test/payments/start-paid-gateway.ts";
import { createDialer } from "#upstream/dialer.ts";

export interface TestReconciler {
  /** Looks after all payments as a gateway does whose clock is so far ahead. */
  reconcile(aheadMs?: number): Promise<Reconciled>;
  readonly reversed: readonly PaymentRow[];
  readonly faults: readonly unknown[];
  close(): Promise<void>;
}

/** Another gateway of the same database, that does nothing but that. */
export function openReconciler(
  store: Store,
  chain: Pick<TestChain, "network" | "id" | "url">,
  { confirmations = 1, logBlocks = 2_000, settleTimeoutMs = 1_000 } = {},
): TestReconciler {
  const dialer = createDialer(() => new Set([new URL(chain.url).origin]));
  const { network, id: chainId } = chain;
  const payTo = PAY_TO.toLowerCase() as Address;
  const rpcUrl = new URL(chain.url);
  const known = { network, chainId, rpcUrl, payTo, confirmations, logBlocks };
  const chains = new Map([[network, known]]);
  const ledger = openLedger({ store: createLedgerStore(store) });
  const reversed: PaymentRow[] = [];
  const faults: unknown[] = [];
  return {
    reversed,
    faults,
    reconcile: (aheadMs = 0) =>
      reconcilePayments({
        core: store.core,
        ledger,
        chain: openChainReader(chains, dialer.send),
        settings: { chains, settleTimeoutMs },
        now: () => Date.now() + aheadMs,
        onReversed: (row) => reversed.push(row),
        onFault: (error) => faults.push(error),
      }),
    close: async () => {
      await ledger.idle();
      await dialer.close();
    },
  };
}
