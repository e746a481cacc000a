import type { PaymentRequired, PaymentRequirements } from "@x402/core/types";
import type { Address } from "viem";

import type { TestChain, TestToken } from "#test/chain/start-chain.ts";

/** Nobody has its key. */
export const RECIPIENT: Address = "0x00000000000000000000000000000000000000A1";

/** What a 402 offers for one payment of a token, by default of a thousandth of a dollar, before the work. */
export function offer(
  chain: TestChain,
  token: TestToken,
  changes: Partial<PaymentRequirements> = {},
): PaymentRequired {
  const { name, version, method, decimals } = token;
  const accepted: PaymentRequirements = {
    scheme: "exact",
    network: chain.network,
    asset: token.address,
    amount: `${10n ** BigInt(decimals - 3)}`,
    payTo: RECIPIENT,
    maxTimeoutSeconds: 120,
    extra: { name, version, assetTransferMethod: method, paymentFlow: "upfront" },
    ...changes,
  };
  return { x402Version: 2, resource: { url: "http://127.0.0.1/story" }, accepts: [accepted] };
}
