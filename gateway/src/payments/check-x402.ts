import type { SupportedResponse } from "@x402/core/types";

import type { ChainReader } from "#payments/chain-reader.ts";
import type { Facilitators } from "#payments/facilitators.ts";
import type { X402Settings } from "#payments/x402-settings.ts";

/** What the configuration says and the world does not; the gateway must not take money by it. */
export class PaymentsMismatch extends Error {}

/** Chains whose coins are worth nothing, as the public facilitator serves them. */
const TEST_NETWORKS: ReadonlySet<string> = new Set([
  "eip155:84532",
  "eip155:11155111",
  "eip155:80002",
  "eip155:421614",
  "eip155:11155420",
  "eip155:43113",
  "eip155:10143",
  "eip155:31337",
]);
const PUBLIC_TEST_FACILITATOR = "x402.org";

/**
 * Compares the configuration with the facilitators and the chains. Throws `PaymentsMismatch` naming
 * all that differs; rejects otherwise when one of them cannot be asked.
 */
export async function checkX402(
  settings: X402Settings,
  { facilitators, chain }: { readonly facilitators: Facilitators; readonly chain: ChainReader },
): Promise<void> {
  const [supported, chainFaults] = await Promise.all([
    facilitators.supported(),
    chain.faultsOf(settings),
  ]);
  const faults = [...networkFaults(settings, supported), ...chainFaults];
  if (faults.length > 0) throw new PaymentsMismatch(`payments.x402: ${faults.join("; ")}`);
}

function networkFaults(
  { assets, facilitators }: X402Settings,
  supported: readonly SupportedResponse[],
): readonly string[] {
  const networks = [...new Set(assets.map(({ network }) => network as string))];
  return networks.flatMap((network) => {
    const serving = facilitators.filter(
      (one, at) =>
        (one.networks?.has(network) ?? true) &&
        supported[at]?.kinds.some((kind) => kind.scheme === "exact" && kind.network === network),
    );
    if (serving.length === 0) return [`no facilitator settles "exact" on ${network}`];
    const isReal = !TEST_NETWORKS.has(network);
    const isPublic = serving.some(({ url }) => url.hostname === PUBLIC_TEST_FACILITATOR);
    return isReal && isPublic
      ? [`${PUBLIC_TEST_FACILITATOR} is for test networks, and ${network} is none`]
      : [];
  });
}
