import type { PaymentsSection, X402Section } from "@turnpike/contract/config-payments.ts";
import type { RateLimits } from "@turnpike/contract/governance.ts";

import { parseUsd } from "#lib/money.ts";

export type Network = `eip155:${string}`;
export type Address = `0x${string}`;

/** A chain that is paid on. */
export interface X402Chain {
  readonly network: Network;
  readonly chainId: number;
  readonly rpcUrl: URL;
  readonly payTo: Address;
  readonly confirmations: number;
  readonly logBlocks: number;
}

/** A token that is taken as dollars. */
export interface X402Asset {
  readonly network: Network;
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly method: "eip3009" | "permit2";
  readonly name: string;
  readonly version: string;
}

export interface X402FacilitatorSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly networks?: ReadonlySet<string>;
}

/** `payments.x402` of the configuration, with its defaults. Amounts are nano-USD. */
export interface X402Settings {
  /** The name in what clients sign; never a request's `Host`. */
  readonly origin: URL;
  readonly projectId: string;
  readonly facilitators: readonly X402FacilitatorSettings[];
  readonly chains: ReadonlyMap<string, X402Chain>;
  readonly assets: readonly X402Asset[];
  readonly maxTimeoutSeconds: number;
  readonly settleTimeoutMs: number;
  readonly least: bigint;
  readonly most: bigint;
  readonly topUp: { readonly least: bigint; readonly most: bigint };
  readonly defaultMaxTokens: number;
  readonly walletLimits: RateLimits;
  readonly strangerLimits: RateLimits;
  readonly maxBodyBytes: number;
  readonly bazaar: boolean;
  /** Whether the scheme `upto` is offered, and how many requests of a payer may be under way by it. */
  readonly upto: boolean;
  readonly uptoAtOnce: number;
  readonly checkReceipts: boolean;
}

const DEFAULT_PROJECT = "proj_default";

/** Reads the section. Throws in words that name what does not fit together. */
export function x402Settings(payments: PaymentsSection, x402: X402Section): X402Settings {
  const chains = new Map(x402.networks.map((chain) => [chain.id, chainOf(chain)]));
  const assets = x402.assets.map(assetOf);
  for (const { network, symbol } of assets) {
    if (!chains.has(network)) {
      throw new Error(`payments.x402.assets: ${symbol} is on ${network}, which is not in networks`);
    }
  }
  return {
    origin: new URL(payments.origin),
    projectId: payments.project ?? DEFAULT_PROJECT,
    facilitators: x402.facilitators.map(({ url, headers = {}, networks }) => ({
      url: new URL(url),
      headers,
      ...(networks !== undefined && { networks: new Set(networks) }),
    })),
    chains,
    assets,
    ...amountsOf(x402),
    ...DEFAULTS,
    ...present(x402),
    walletLimits: { requestsPerMinute: 120, concurrent: 16, ...x402.limits },
    strangerLimits: { requestsPerMinute: 60, ...x402.strangers },
  };
}

const DEFAULTS = {
  maxTimeoutSeconds: 120,
  settleTimeoutMs: 30_000,
  defaultMaxTokens: 4_096,
  maxBodyBytes: 1024 * 1024,
  bazaar: false,
  upto: false,
  uptoAtOnce: 1,
  checkReceipts: true,
} as const;

/** What the operator has set of what has a default. */
const present = (x402: X402Section): Partial<Pick<X402Settings, keyof typeof DEFAULTS>> =>
  Object.fromEntries(
    Object.entries(x402).filter(([name, value]) => name in DEFAULTS && value !== undefined),
  );

const amountsOf = ({ minUsd, maxUsd, topUp = {} }: X402Section) => ({
  least: parseUsd(minUsd ?? "0.001"),
  most: parseUsd(maxUsd ?? "1"),
  topUp: { least: parseUsd(topUp.minUsd ?? "0.1"), most: parseUsd(topUp.maxUsd ?? "100") },
});

const chainOf = ({ id, rpcUrl, payTo, ...chain }: X402Section["networks"][number]): X402Chain => ({
  network: id as Network,
  chainId: Number(id.slice("eip155:".length)),
  rpcUrl: new URL(rpcUrl),
  payTo: payTo.toLowerCase() as Address,
  confirmations: chain.confirmations ?? 1,
  logBlocks: chain.logBlocks ?? 2_000,
});

const assetOf = ({
  address,
  version = "",
  ...asset
}: X402Section["assets"][number]): X402Asset => ({
  ...asset,
  network: asset.network as Network,
  address: address.toLowerCase() as Address,
  version,
});

/** Where the gateway itself connects to for it; the operator has named them. */
export const x402Origins = ({ facilitators, chains }: X402Settings): readonly string[] => [
  ...facilitators.map(({ url }) => url.origin),
  ...[...chains.values()].map(({ rpcUrl }) => rpcUrl.origin),
];
