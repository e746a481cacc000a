import type { SupportedResponse } from "@x402/core/types";
import { getAddress } from "viem";

import type { X402FacilitatorSettings } from "#payments/x402-settings.ts";

/** The one facilitator that settles by `upto` on a network: payers sign for its address. */
export interface UptoFacilitator {
  readonly facilitator: X402FacilitatorSettings;
  readonly signer: string;
}

/** By network, as facilitators say it themselves; the first one of the configuration counts. */
export function uptoSigners(
  facilitators: readonly X402FacilitatorSettings[],
  supported: readonly SupportedResponse[],
): ReadonlyMap<string, UptoFacilitator> {
  const signers = new Map<string, UptoFacilitator>();
  for (const [at, facilitator] of facilitators.entries()) {
    for (const kind of supported[at]?.kinds ?? []) {
      const { network } = kind;
      const signer = signerOf(kind);
      const isServed = facilitator.networks?.has(network) ?? true;
      if (signer === undefined || !isServed || signers.has(network)) continue;
      signers.set(network, { facilitator, signer });
    }
  }
  return signers;
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

function signerOf({ scheme, extra }: SupportedResponse["kinds"][number]): string | undefined {
  const named = extra?.["facilitatorAddress"];
  const isNamed = scheme === "upto" && typeof named === "string" && ADDRESS.test(named);
  return isNamed ? getAddress(named) : undefined;
}
