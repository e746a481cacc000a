import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { getAddress } from "viem";

import { toAtomic } from "#payments/amounts.ts";
import type { X402Settings } from "#payments/x402-settings.ts";

/** Node takes heads of 16 KiB, nginx of 8: the client sends back what it is offered. */
const MOST_OFFERS = 4;

/** Ways to pay a price, in the order of the configuration. All are paid before the work is done. */
export const offersFor = (
  { assets, chains, maxTimeoutSeconds }: X402Settings,
  nanoUsd: bigint,
): PaymentRequirements[] =>
  assets.slice(0, MOST_OFFERS).flatMap((asset) => {
    const chain = chains.get(asset.network);
    if (chain === undefined) return [];
    const { network, address, decimals, method, name, version } = asset;
    return [
      {
        scheme: "exact",
        network,
        // Facilitators compare these as text.
        asset: getAddress(address),
        amount: toAtomic(nanoUsd, decimals).toString(),
        payTo: getAddress(chain.payTo),
        maxTimeoutSeconds,
        extra: { name, version, assetTransferMethod: method, paymentFlow: "upfront" },
      },
    ];
  });

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
      Object.entries(one.extra).every(([name, value]) => accepted.extra[name] === value),
  );
  const isEnough = offer !== undefined && BigInt(accepted.amount) >= BigInt(offer.amount);
  return isEnough ? { ...offer, amount: accepted.amount } : undefined;
}

const sameText = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
