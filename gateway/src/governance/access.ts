import type {
  BudgetDocument,
  Guardrail,
  KeySettings,
  Level,
  OrganizationSettings,
  Plan,
  PolicyDocument,
  PriceOverrideDocument,
  ProjectSettings,
  RateLimits,
} from "@turnpike/contract/governance.ts";

import type { AddressRanges } from "#governance/ip-ranges.ts";

/**
 * Who a request comes from, and all that applies to it. Made once a key when it is first seen, and
 * shared by all its requests until the directory changes: a look-up costs a request nothing else.
 */
export interface Access {
  readonly key: AccessKey;
  readonly organization: AccessOrganization;
  readonly team?: { readonly id: string; readonly name: string };
  readonly project: {
    readonly id: string;
    readonly name: string;
    readonly settings: ProjectSettings;
  };
  /** The intersection of the policies of organization, team, project and key; `NO_POLICY` where none is. */
  readonly policy: EffectivePolicy;
  /** Each level's limits, the widest first; every one counts by itself. */
  readonly limits: readonly LevelLimits[];
  /** All budgets that requests of the key may count for; each says which of them do. */
  readonly budgets: readonly ActiveBudget[];
  readonly priceOverrides: readonly PriceOverrideDocument[];
  /** Whose wallet pays in place of the organization's: an address, for those who have no key. */
  readonly wallet?: string;
}

export interface AccessKey {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly ownerId: string | null;
  readonly settings: KeySettings;
  /** Where it may be used from; absent: everywhere. */
  readonly addresses?: AddressRanges;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export interface AccessOrganization {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: Plan;
  /** IANA name. */
  readonly timeZone: string;
  readonly settings: OrganizationSettings;
}

/** Where a rule comes from. */
export interface Origin {
  readonly level: Level;
  readonly targetId: string;
  /** A policy's id, the key's own settings, or what the organization's plan says. */
  readonly source: string;
}

/** A part of a policy with where it comes from. */
export interface Ruled<Value> {
  readonly value: Value;
  readonly origin: Origin;
}

/** The strictest of all levels. `origins` names for each single-valued part the level that it comes from. */
export interface EffectivePolicy {
  /** Lists of globs in lower case: a model must match one of each list. */
  readonly allowedModels: readonly Ruled<readonly string[]>[];
  readonly deniedModels: readonly Ruled<readonly string[]>[];
  /** Lists of provider ids: a provider must be in each of them. */
  readonly allowedProviders: readonly Ruled<readonly string[]>[];
  readonly deniedProviders: readonly Ruled<readonly string[]>[];
  /** Lists of globs of endpoints (`provider/model@credential`); a key's own. */
  readonly allowedEndpoints: readonly Ruled<readonly string[]>[];
  /** Lists of allowed regions: an endpoint must lie in one of each list. */
  readonly regions: readonly Ruled<readonly string[]>[];
  readonly zeroRetention: boolean;
  readonly noTraining: boolean;
  readonly deniedCapabilities: ReadonlyMap<Capability, Origin>;
  readonly maxRequestNanoUsd?: bigint;
  readonly maxInputPicoUsdPerToken?: number;
  readonly maxOutputPicoUsdPerToken?: number;
  readonly defaultMaxTokens?: number;
  readonly maxTokens?: number;
  /** The narrowest level's; it takes the place of what a request prefers. */
  readonly preference?: Preference;
  /** Task class to model; the narrowest level wins. */
  readonly tasks: ReadonlyMap<string, Ruled<string>>;
  /** All levels', the widest first. */
  readonly guardrails: readonly Guardrail[];
  readonly origins: Readonly<Partial<Record<SingleRule, Origin>>>;
}

export type Capability = NonNullable<PolicyDocument["deniedCapabilities"]>[number];
export type Preference = NonNullable<PolicyDocument["preference"]>;

/** Parts of which only the strictest level's counts. */
export type SingleRule =
  | "zeroRetention"
  | "noTraining"
  | "maxRequestNanoUsd"
  | "maxInputPicoUsdPerToken"
  | "maxOutputPicoUsdPerToken"
  | "defaultMaxTokens"
  | "maxTokens"
  | "preference";

export interface LevelLimits {
  readonly level: Level;
  readonly targetId: string;
  readonly limits: RateLimits;
  /** A policy's id, or the organization's plan. */
  readonly source: string;
}

export interface ActiveBudget {
  readonly id: string;
  readonly name: string;
  readonly level: Level;
  readonly targetId: string;
  readonly document: BudgetDocument;
  /** Nano-USD or tokens, as the document says. */
  readonly limit: bigint;
  readonly pausedAt: number | null;
  readonly resetAt: number | null;
}
