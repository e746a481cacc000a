import { encodePaymentRequiredHeader } from "@x402/core/http";
import type { PaymentRequired } from "@x402/core/types";

import type { PaymentTerms } from "#canonical/failure.ts";
import { formatSignedUsd, formatUsd } from "#lib/money.ts";
import { offersFor, type Asked, type UptoSigner } from "#payments/offers.ts";
import { bazaarOf } from "#payments/route-inputs.ts";
import type { WalletSignIn } from "#payments/wallet-sign-in.ts";
import type { X402Settings } from "#payments/x402-settings.ts";

/** What is asked of whoever has no key. */
export interface Price extends Asked {
  /** Nano-USD; 0: nothing is to be paid, only a wallet to be proved. */
  readonly nanoUsd: bigint;
  /** Path of what is bought, such as `/v1/chat/completions`. */
  readonly path: string;
  readonly description: string;
  readonly isStreamed: boolean;
  /** Why what was sent did not do. */
  readonly reason?: string;
  /** Nano-USD that the wallet has, where it has proved itself. */
  readonly balance?: bigint;
}

export interface TermsDeps {
  readonly settings: X402Settings;
  readonly signIn: Pick<WalletSignIn, "challenge">;
  readonly signerOf: UptoSigner;
}

/** The 402 of x402 version 2: its header, and its members beside the error in the client's dialect. */
export function paymentTerms(
  { settings, signIn, signerOf }: TermsDeps,
  price: Price,
): PaymentTerms {
  const { nanoUsd, path, description, isStreamed, reason = "payment required", balance } = price;
  const url = new URL(path, settings.origin).href;
  const required: PaymentRequired = {
    x402Version: 2,
    error: reason,
    resource: {
      url,
      description,
      mimeType: isStreamed ? "text/event-stream" : "application/json",
    },
    accepts: nanoUsd === 0n ? [] : offersFor(settings, price, signerOf),
    extensions: {
      ...signIn.challenge(url),
      ...(settings.bazaar && nanoUsd > 0n && bazaarOf(path)),
    },
  };
  return {
    headers: {
      "payment-required": encodePaymentRequiredHeader(required),
      "cache-control": "no-store",
    },
    body: {
      x402: required,
      price_usd: formatUsd(nanoUsd),
      ...(balance !== undefined && { balance_usd: formatSignedUsd(balance) }),
      topup_url: new URL("/v1/x402/topup", settings.origin).href,
    },
  };
}
