import type { Directory } from "#governance/directory.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import { openChainReader } from "#payments/chain-reader.ts";
import { checkX402, PaymentsMismatch } from "#payments/check-x402.ts";
import { openFacilitators } from "#payments/facilitators.ts";
import { createPaymentDesk, type PaymentDesk } from "#payments/payment-desk.ts";
import { reconcilePayments, type Reconciled } from "#payments/reconcile-payments.ts";
import { reconcileOne } from "#payments/reconcile-one.ts";
import { createWalletAccess } from "#payments/wallet-access.ts";
import { createWalletNonces } from "#payments/wallet-nonce.ts";
import { createWalletSignIn } from "#payments/wallet-sign-in.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import type { PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import type { Log } from "#telemetry/log.ts";
import type { Send } from "#upstream/answer.ts";

export { PaymentsMismatch } from "#payments/check-x402.ts";

export interface X402Deps {
  readonly store: Pick<Store, "core">;
  /** Makes nonces that only this installation gives out. */
  readonly master: { readonly subjectKey: Buffer };
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly send: Send;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly tick: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly onReversed: (row: PaymentRow) => void;
  readonly onFault: (error: unknown) => void;
}

export interface X402 {
  readonly desk: PaymentDesk;
  readonly reconcile: () => Promise<Reconciled>;
  /** Asks the chain about one payment now. */
  readonly reconcileOne: (row: PaymentRow) => Promise<void>;
  /** See `checkX402`. */
  readonly check: () => Promise<void>;
}

/** Puts payments by x402 together; nothing is asked of anybody yet. */
export function openX402(settings: X402Settings, given: X402Deps): X402 {
  const { store, master, directory, now, send, log, tick } = given;
  const { core } = store;
  const chain = openChainReader(settings.chains, send);
  const facilitators = openFacilitators({ settings, send, log, tick });
  const nonces = createWalletNonces(master.subjectKey, now);
  const deps = { ...given, core, chain, facilitators, settings };
  const signIn = createWalletSignIn({ settings, nonces, now });
  const wallets = createWalletAccess(directory, settings);
  return {
    desk: createPaymentDesk({ ...deps, signIn, wallets }),
    reconcile: () => reconcilePayments(deps),
    reconcileOne: (row) => reconcileOne(deps, row),
    check: async () => {
      const { projectId } = settings;
      if (!directory.tables.projects.has(projectId)) {
        throw new PaymentsMismatch(`payments.project: there is no project ${projectId}`);
      }
      await checkX402(settings, { facilitators, chain });
    },
  };
}
