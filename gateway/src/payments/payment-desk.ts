import { GatewayError, type PaymentTerms } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import type { Collecting } from "#payments/claim-payment.ts";
import { collectPayment, type CollectDeps, type Collected } from "#payments/collect-payment.ts";
import { offersFor } from "#payments/offers.ts";
import { PaymentRefused, required } from "#payments/payment-failures.ts";
import { paymentTerms, type Price } from "#payments/payment-terms.ts";
import { readPayment, type PresentedPayment } from "#payments/presented-payment.ts";
import { NOBODY, type WalletAccess } from "#payments/wallet-access.ts";
import { ProofRefused, type WalletSignIn } from "#payments/wallet-sign-in.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import { changePayment } from "#store/payments.ts";

/** Who sends a request without a key, and what it is paid with. */
export interface Payer {
  readonly access: Access;
  /** `wallet`: has proved itself, and spends its credit; `stranger`: is told the price. */
  readonly kind: "wallet" | "payment" | "stranger";
  readonly presented?: PresentedPayment;
  /** Why its proof did not do. */
  readonly refused?: string;
}

export interface Sent {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly clientAddress?: string | undefined;
}

/** What is paid for, beside the price. */
export type Purchase = Omit<Collecting, "presented" | "offers" | "owner"> & {
  /** Whose credit it becomes; the payer's own unless named. */
  readonly owner?: string;
};

/** Where those who have no key pay. */
export interface PaymentDesk {
  readonly least: bigint;
  readonly most: bigint;
  readonly topUp: X402Settings["topUp"];
  readonly maxBodyBytes: number;
  /** Who it is. Throws for a proof or payment that cannot be read. */
  identify(sent: Sent): Promise<Payer>;
  termsOf(price: Price): PaymentTerms;
  /**
   * Takes the payment that was sent. Throws `payment_required` with the terms where it will not do,
   * and what `collectPayment` throws.
   */
  take(payer: Payer, price: Price, purchase: Purchase): Promise<Collected>;
  /** Its deposit is booked. */
  noteCredited(id: string): void;
}

export interface PaymentDeskOptions extends CollectDeps {
  readonly settings: X402Settings;
  readonly signIn: WalletSignIn;
  readonly wallets: WalletAccess;
  /** Told of what failed in the background; `reconcile` does it later. */
  readonly onFault: (error: unknown) => void;
}

export function createPaymentDesk(options: PaymentDeskOptions): PaymentDesk {
  const { settings, signIn, wallets, core, now, onFault } = options;
  const termsOf = (price: Price): PaymentTerms => paymentTerms(settings, signIn, price);
  const stranger = (from: string | undefined): Payer => ({
    access: wallets.ofStranger(NOBODY, from),
    kind: "stranger",
  });
  /** Official clients take any answer but a 402 for the last word: a bad proof gets a new challenge. */
  const proved = async (proof: string, from: string | undefined): Promise<Payer> => {
    try {
      return { access: wallets.ofWallet(await signIn.addressOf(proof)), kind: "wallet" };
    } catch (error) {
      if (!(error instanceof ProofRefused)) throw error;
      return { ...stranger(from), refused: error.message };
    }
  };
  return {
    least: settings.least,
    most: settings.most,
    topUp: settings.topUp,
    maxBodyBytes: settings.maxBodyBytes,
    identify: async ({ headers, clientAddress }) => {
      const proof = single(headers["sign-in-with-x"]);
      if (proof !== undefined) return proved(proof, clientAddress);
      const payment = single(headers["payment-signature"]);
      if (payment === undefined) return stranger(clientAddress);
      const presented = readPayment(payment);
      const access = wallets.ofStranger(presented.payer, clientAddress);
      return { access, kind: "payment", presented };
    },
    termsOf,
    take: async ({ access, presented, refused: reason }, price, purchase) => {
      if (presented === undefined) {
        const asked = reason === undefined ? price : { ...price, reason };
        throw new GatewayError(required(termsOf(asked), reason));
      }
      try {
        const offers = offersFor(settings, price.nanoUsd);
        const owner = purchase.owner ?? access.wallet ?? presented.payer;
        return await collectPayment(options, { ...purchase, presented, offers, owner });
      } catch (error) {
        if (!(error instanceof PaymentRefused)) throw error;
        const reason = error.message;
        throw new GatewayError(required(termsOf({ ...price, reason }), reason));
      }
    },
    noteCredited: (id) => {
      const credited = { state: "credited", updated_at: now() } as const;
      changePayment(core, { id, from: ["paid"] }, credited).catch(onFault);
    },
  };
}

/** A header that may stand there once; several are joined, as proxies do. */
const single = (value: string | string[] | undefined): string | undefined => {
  const text = Array.isArray(value) ? value.join(",") : value;
  return text === "" ? undefined : text;
};
