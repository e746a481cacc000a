import type { SupportedResponse } from "@x402/core/types";

import type { ChainReader } from "#payments/chain-reader.ts";
import type { Facilitators } from "#payments/facilitators.ts";
import type { X402FacilitatorSettings, X402Settings } from "#payments/x402-settings.ts";

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
  fail(publicFaults(settings));
  const [supported, chainFaults] = await Promise.all([
    facilitators.supported(),
    chain.faultsOf(settings),
  ]);
  fail([
    ...networkFaults(settings, supported),
    ...uptoFaults(settings, facilitators),
    ...chainFaults,
  ]);
}

function fail(faults: readonly string[]): void {
  if (faults.length > 0) throw new PaymentsMismatch(`payments.x402: ${faults.join("; ")}`);
}

const networksOf = ({ assets }: Pick<X402Settings, "assets">): readonly string[] => [
  ...new Set(assets.map(({ network }) => network as string)),
];

const serves = ({ networks }: X402FacilitatorSettings, network: string): boolean =>
  networks?.has(network) ?? true;

const isPublic = ({ url }: X402FacilitatorSettings): boolean =>
  url.hostname === PUBLIC_TEST_FACILITATOR || url.hostname.endsWith(`.${PUBLIC_TEST_FACILITATOR}`);

/** What is wrong whatever anybody answers: real money would go by the public test facilitator, or by none. */
const publicFaults = (settings: X402Settings): readonly string[] =>
  networksOf(settings)
    .filter((network) => !TEST_NETWORKS.has(network))
    .filter((network) =>
      settings.facilitators.filter((one) => serves(one, network)).every(isPublic),
    )
    .map(testOnly);

const testOnly = (network: string): string =>
  `facilitators.url: ${PUBLIC_TEST_FACILITATOR} is for test networks, and ${network} is none; name another facilitator for it`;

const uptoFaults = (settings: X402Settings, facilitators: Facilitators): readonly string[] =>
  settings.upto
    ? networksOf(settings)
        .filter((network) => facilitators.uptoSigner(network) === undefined)
        .map(noUpto)
    : [];

const noUpto = (network: string): string =>
  `upto: no facilitator settles "upto" on ${network} and says by which address (its GET /supported has no such kind with extra.facilitatorAddress); name one that does in facilitators, or set upto: false`;

function networkFaults(
  settings: X402Settings,
  supported: readonly SupportedResponse[],
): readonly string[] {
  return networksOf(settings).flatMap((network) => {
    const serving = settings.facilitators.filter(
      (one, at) =>
        serves(one, network) &&
        supported[at]?.kinds.some((kind) => kind.scheme === "exact" && kind.network === network),
    );
    if (serving.length === 0) return [`facilitators: none settles "exact" on ${network}`];
    return !TEST_NETWORKS.has(network) && serving.some(isPublic) ? [testOnly(network)] : [];
  });
}
