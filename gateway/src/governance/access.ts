import type {
  BudgetDocument,
  KeySettings,
  Level,
  OrganizationSettings,
  Plan,
  PolicyDocument,
  PriceOverrideDocument,
  ProjectSettings,
  RateLimits,
} from "@turnpike/contract/governance.ts";

/**
 * Who a request comes from, and all that applies to it. Made when the directory is read and shared by
 * all requests of the key until the directory changes: a look-up costs a request nothing else.
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
  /** The intersection of the policies of organization, team, project and key. */
  readonly policy: EffectivePolicy;
  /** Each level's limits, the widest first; every one counts by itself. */
  readonly limits: readonly LevelLimits[];
  /** All budgets that requests of the key may count for; each says which of them do. */
  readonly budgets: readonly ActiveBudget[];
  readonly priceOverrides: readonly PriceOverrideDocument[];
}

export interface AccessKey {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly ownerId: string | null;
  readonly settings: KeySettings;
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

/** The strictest of all levels, and which level each part comes from. */
export interface EffectivePolicy {
  /** Lists of allowed globs: a model must match one of each list. */
  readonly allowedModels: readonly (readonly string[])[];
  readonly deniedModels: readonly string[];
  /** Absent: all. */
  readonly allowedProviders?: ReadonlySet<string>;
  readonly deniedProviders: ReadonlySet<string>;
  /** Lists of allowed regions: an endpoint must lie in one of each list. */
  readonly regions: readonly (readonly string[])[];
  readonly zeroRetention: boolean;
  readonly noTraining: boolean;
  readonly deniedCapabilities: ReadonlySet<
    NonNullable<PolicyDocument["deniedCapabilities"]>[number]
  >;
  readonly maxRequestNanoUsd?: bigint;
  readonly maxInputPicoUsdPerToken?: number;
  readonly maxOutputPicoUsdPerToken?: number;
  readonly defaultMaxTokens?: number;
  readonly maxTokens?: number;
  readonly preference?: NonNullable<PolicyDocument["preference"]>;
  /** Task class to model; the narrowest level wins. */
  readonly tasks: ReadonlyMap<string, string>;
  readonly guardrails: NonNullable<PolicyDocument["guardrails"]>;
}

export interface LevelLimits {
  readonly level: Level;
  readonly targetId: string;
  readonly limits: RateLimits;
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
