import { GatewayError, type Failure, type PaymentTerms } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import type { Collecting } from "#payments/claim-payment.ts";
import { collectPayment } from "#payments/collect-payment.ts";
import { offersFor } from "#payments/offers.ts";
import type { Tab } from "#payments/open-tab.ts";
import { whyUnused, type Collected } from "#payments/paid-payment.ts";
import { PaymentRefused, pending, PROOF_USED, required } from "#payments/payment-failures.ts";
import { paymentTerms, type Price } from "#payments/payment-terms.ts";
import { readPayment, type PresentedPayment } from "#payments/presented-payment.ts";
import type { CollectDeps } from "#payments/settle-payment.ts";
import { NOBODY, type WalletAccess } from "#payments/wallet-access.ts";
import { ProofRefused, type WalletSignIn } from "#payments/wallet-sign-in.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import type { NonceUse } from "#store/ledger-uses.ts";
import { useNonce } from "#store/payments.ts";

/** Who sends a request without a key, and what it is paid with. */
export interface Payer {
  readonly access: Access;
  /** `wallet`: has proved itself, and spends its credit; `stranger`: is told the price. */
  readonly kind: "wallet" | "payment" | "stranger";
  readonly presented?: PresentedPayment;
  /** Its proof, as long as it was not used up. */
  readonly proof?: NonceUse;
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
  /** See `x402-settings.ts`. */
  readonly uptoAtOnce: number;
  /** Who it is; a proof is used up. Throws for a payment that cannot be read. */
  identify(sent: Sent): Promise<Payer>;
  /** The same before its proof is used up: whoever serves it does that, by `use` or with its hold. */
  recognize(sent: Sent): Promise<Payer>;
  /** Uses a proof up; `false`: it was used before. */
  use(proof: NonceUse): Promise<boolean>;
  termsOf(price: Price): PaymentTerms;
  /**
   * Takes the payment that was sent. Throws `payment_required` with the terms where it will not do,
   * and what `collectPayment` throws.
   */
  take(payer: Payer, price: Price, purchase: Purchase): Promise<Collected>;
  /** The same for a metered price: a payment by `upto` is a tab until it is settled. */
  takeOrOpen(payer: Payer, price: Price, purchase: Purchase): Promise<Collected | Tab>;
  /** Why a payment that was taken could not be booked. */
  whyUnbooked(collected: Collected): Promise<Failure>;
}

export interface PaymentDeskOptions extends CollectDeps {
  readonly settings: X402Settings;
  readonly signIn: WalletSignIn;
  readonly wallets: WalletAccess;
  /** Told of what failed in the background; `reconcile` does it later. */
  readonly onFault: (error: unknown) => void;
}

export function createPaymentDesk(options: PaymentDeskOptions): PaymentDesk {
  const { settings, core, onFault } = options;
  const { termsOf, takeOrOpen } = taker(options);
  const { stranger, recognize } = recognizer(options);
  const use: PaymentDesk["use"] = (proof) => useNonce(core, proof);
  return {
    least: settings.least,
    most: settings.most,
    topUp: settings.topUp,
    maxBodyBytes: settings.maxBodyBytes,
    uptoAtOnce: settings.uptoAtOnce,
    identify: async (sent) => {
      const { proof, ...payer } = await recognize(sent);
      if (proof === undefined || (await use(proof))) return payer;
      return { ...stranger(sent.clientAddress), refused: PROOF_USED };
    },
    recognize,
    use,
    termsOf,
    takeOrOpen,
    take: async (payer, price, purchase) => {
      const taken = await takeOrOpen(payer, { ...price, isMetered: false }, purchase);
      if ("settle" in taken) throw new Error("a tab where nothing is metered");
      return taken;
    },
    whyUnbooked: async ({ id, use }) => {
      try {
        return await whyUnused(options, use);
      } catch (error) {
        // `reconcile` books it, and it is good for the same request.
        onFault(error);
        return pending("The payment was taken and could not be booked yet.", id);
      }
    },
  };
}

/** What is asked, and how it is taken. */
function taker(options: PaymentDeskOptions): Pick<PaymentDesk, "termsOf" | "takeOrOpen"> {
  const { settings, signIn, facilitators } = options;
  const signerOf = (network: string): string | undefined => facilitators.uptoSigner(network);
  const termsOf = (price: Price): PaymentTerms =>
    paymentTerms({ settings, signIn, signerOf }, price);
  /** Who is refused is told the price. */
  const priced = async <Result>(price: Price, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      const reason = error.message;
      throw new GatewayError(required(termsOf({ ...price, reason }), reason));
    }
  };
  return {
    termsOf,
    takeOrOpen: async ({ access, presented, refused: reason }, price, purchase) => {
      if (presented === undefined) {
        const asked = reason === undefined ? price : { ...price, reason };
        throw new GatewayError(required(termsOf(asked), reason));
      }
      const offers = offersFor(settings, price, signerOf);
      const owner = purchase.owner ?? access.wallet ?? presented.payer;
      const wanted = { ...purchase, presented, offers, owner };
      const taken = await priced(price, () => collectPayment(options, wanted));
      if (!("settle" in taken)) return taken;
      return { ...taken, settle: (owed) => priced(price, () => taken.settle(owed)) };
    },
  };
}

/** Who somebody is by what is sent. */
function recognizer({ signIn, wallets }: Pick<PaymentDeskOptions, "signIn" | "wallets">) {
  const stranger = (from: string | undefined): Payer => ({
    access: wallets.ofStranger(NOBODY, from),
    kind: "stranger",
  });
  /** Official clients take any answer but a 402 for the last word: a bad proof gets a new challenge. */
  const proved = async (proof: string, from: string | undefined): Promise<Payer> => {
    try {
      const { address, use } = await signIn.read(proof);
      return { access: wallets.ofWallet(address), kind: "wallet", proof: use };
    } catch (error) {
      if (!(error instanceof ProofRefused)) throw error;
      return { ...stranger(from), refused: error.message };
    }
  };
  const recognize: PaymentDesk["recognize"] = async ({ headers, clientAddress }) => {
    const proof = single(headers["sign-in-with-x"]);
    if (proof !== undefined) return proved(proof, clientAddress);
    const payment = single(headers["payment-signature"]);
    if (payment === undefined) return stranger(clientAddress);
    const presented = readPayment(payment);
    const access = wallets.ofStranger(presented.payer, clientAddress);
    return { access, kind: "payment", presented };
  };
  return { stranger, recognize };
}

/** A header that may stand there once; several are joined, as proxies do. */
const single = (value: string | string[] | undefined): string | undefined => {
  const text = Array.isArray(value) ? value.join(",") : value;
  return text === "" ? undefined : text;
};
