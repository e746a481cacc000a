import { createHash } from "node:crypto";

import type { RateLimits } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { buildAccess } from "#governance/build-access.ts";
import type { Directory } from "#governance/directory.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import type { StoredKey } from "#store/keys.ts";

/** How those who have no key are served: as keys of one project, each paid from its own wallet. */
export interface WalletAccess {
  /** A wallet that has proved itself. */
  ofWallet(address: string): Access;
  /** Who has not: its payment says who pays, or nothing does. `from`: where the request comes from. */
  ofStranger(wallet: string, from: string | undefined): Access;
}

/** No payment leads to it: what is charged to it is refused. */
export const NOBODY = "nobody";

/** Put together anew after each look at the directory, as keys are: twice a second. */
export function createWalletAccess(
  directory: Pick<Directory, "tables" | "onLook">,
  settings: Pick<
    X402Settings,
    "projectId" | "walletLimits" | "strangerLimits" | "defaultMaxTokens"
  >,
): WalletAccess {
  const wallets = new Map<string, Access>();
  let common: Access | undefined;
  directory.onLook(() => {
    wallets.clear();
    common = undefined;
  });
  const base = (): Access => (common ??= projectAccess(directory, settings));
  const own = (wallet: string, limits: Access["limits"]): Access => {
    const access = base();
    return {
      ...access,
      key: { ...access.key, id: `wallet:${wallet}`, name: wallet, hint: wallet.slice(-4) },
      wallet,
      limits: [...access.limits, ...limits],
    };
  };
  return {
    ofWallet: (address) => {
      let access = wallets.get(address);
      if (access === undefined) {
        access = own(address, limitsOf(`wallet:${address}`, settings.walletLimits));
        wallets.set(address, access);
      }
      return access;
    },
    ofStranger: (wallet, from) =>
      own(wallet, limitsOf(`address:${neighbourhood(from)}`, settings.strangerLimits)),
  };
}

const limitsOf = (targetId: string, limits: RateLimits): Access["limits"] => [
  { level: "key", targetId, limits, source: "payments" },
];

/** Whoever has one IPv6 address has all of its network. Not the address itself: this goes to Valkey. */
function neighbourhood(address = "unknown"): string {
  const network = address.includes(":") ? address.split(":").slice(0, 4).join(":") : address;
  return createHash("sha256").update(network).digest("base64url").slice(0, 22);
}

/** Neither the plan of the organization nor its credit limit is theirs. */
function projectAccess(
  { tables }: Pick<Directory, "tables">,
  { projectId, defaultMaxTokens }: Pick<X402Settings, "projectId" | "defaultMaxTokens">,
): Access {
  const project = tables.projects.get(projectId);
  const found = project && buildAccess(keyIn(projectId, project.organization_id), tables);
  if (found === undefined || "refused" in found) {
    throw new GatewayError({
      code: "forbidden",
      message: `Requests without a key are not served: the project of payments (${projectId}) is not there or out of use. Ask the operator.`,
    });
  }
  const { access } = found;
  const { creditLimitUsd: _limit, ...settings } = access.organization.settings;
  return {
    ...access,
    organization: { ...access.organization, plan: "pay-as-you-go", settings },
    limits: access.limits.filter(({ source }) => source !== "plan"),
    policy: {
      ...access.policy,
      defaultMaxTokens: access.policy.defaultMaxTokens ?? defaultMaxTokens,
    },
  };
}

/** A key that is in no table: only what is above it applies. */
const keyIn = (projectId: string, organizationId: string): StoredKey => ({
  id: `wallet:${NOBODY}`,
  name: NOBODY,
  digest: "",
  hint: "",
  createdAt: 0,
  revokedAt: null,
  organizationId,
  projectId,
  ownerId: null,
  settings: "{}",
  expiresAt: null,
  disabledAt: null,
  replacedBy: null,
  lastUsedAt: null,
});
