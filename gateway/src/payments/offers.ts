import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { getAddress } from "viem";

import { toAtomic } from "#payments/amounts.ts";
import type { X402Asset, X402Settings } from "#payments/x402-settings.ts";

/** Node takes heads of 16 KiB, nginx of 8: the client sends back what it is offered. */
const MOST_OFFERS = 4;

/** What is to be paid; metered: what it costs is known after the work, and is the most until then. */
export interface Asked {
  readonly nanoUsd: bigint;
  readonly isMetered?: boolean;
}

/** Who may settle a payment by `upto` on a network, where somebody does. */
export type UptoSigner = (network: string) => string | undefined;

/**
 * Ways to pay a price, in the order of the configuration. Those that are paid before the work come
 * first: whoever takes the first one needs nothing that was approved before. Official clients that know
 * `upto` prefer what is settled after the work, wherever it stands (`@x402/core` 2.27).
 */
export function offersFor(
  settings: X402Settings,
  { nanoUsd, isMetered = false }: Asked,
  signerOf: UptoSigner,
): PaymentRequirements[] {
  const { assets, upto } = settings;
  const metered = upto && isMetered ? assets.filter(({ network }) => signerOf(network)) : [];
  const before = assets.slice(0, metered.length > 0 ? MOST_OFFERS - 1 : MOST_OFFERS);
  const after = metered.slice(0, MOST_OFFERS - before.length);
  return [
    ...before.flatMap((asset) =>
      offerOf(settings, asset, {
        scheme: "exact",
        nanoUsd,
        extra: { assetTransferMethod: asset.method, paymentFlow: "upfront" },
      }),
    ),
    ...after.flatMap((asset) => {
      const facilitatorAddress = signerOf(asset.network);
      const extra = { assetTransferMethod: "permit2", facilitatorAddress };
      return offerOf(settings, asset, { scheme: "upto", nanoUsd, extra });
    }),
  ];
}

function offerOf(
  { chains, maxTimeoutSeconds }: X402Settings,
  { network, address, decimals, name, version }: X402Asset,
  { nanoUsd, scheme, extra }: Pick<PaymentRequirements, "scheme" | "extra"> & Asked,
): PaymentRequirements[] {
  const chain = chains.get(network);
  if (chain === undefined) return [];
  return [
    {
      scheme,
      network,
      // Facilitators compare these as text.
      asset: getAddress(address),
      amount: toAtomic(nanoUsd, decimals).toString(),
      payTo: getAddress(chain.payTo),
      maxTimeoutSeconds,
      extra: { name, version, ...extra },
    },
  ];
}

/**
 * The offer that a payment accepts, at the amount that was signed: at least what is asked for (prices
 * and routes move between the offer and the payment; what is left is credit). `undefined`: none.
 */
export function acceptedOffer(
  { accepted }: Pick<PaymentPayload, "accepted">,
  offers: readonly PaymentRequirements[],
): PaymentRequirements | undefined {
  const offer = offers.find(
    (one) =>
      one.scheme === accepted.scheme &&
      one.network === accepted.network &&
      sameText(one.asset, accepted.asset) &&
      sameText(one.payTo, accepted.payTo) &&
      one.maxTimeoutSeconds === accepted.maxTimeoutSeconds &&
      Object.entries(one.extra).every(
        ([name, value]) => name === SIGNER || accepted.extra[name] === value,
      ),
  );
  const isEnough = offer !== undefined && BigInt(accepted.amount) >= BigInt(offer.amount);
  if (!isEnough) return undefined;
  const { [SIGNER]: signer } = accepted.extra;
  const extra = offer.scheme === "upto" ? { ...offer.extra, [SIGNER]: signer } : offer.extra;
  return { ...offer, amount: accepted.amount, extra };
}

/** Facilitators have several, and name another one each time: whether it is theirs they say themselves. */
const SIGNER = "facilitatorAddress";

const sameText = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
