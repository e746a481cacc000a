/** What `auto` should lean to, or a number between cheap (0) and best (1). */
export type Preference = "cheap" | "balanced" | "best" | "fast" | number;

export const PREFERENCE_NAMES = ["cheap", "balanced", "best", "fast"] as const;

export type SortBy = "price" | "throughput" | "latency";

/** What a caller asks of the choice between endpoints: OpenRouter's `provider` object. */
export interface ProviderPreferences {
  /** Providers to try first, in this order, whatever their health; only closed ones are left out. */
  readonly order?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  /** `false`: only the first of the plan is tried; with `order`, only its providers. */
  readonly allowFallbacks: boolean;
  /** Only endpoints documented to take every parameter; refuse where a field would be lost. */
  readonly requireParameters: boolean;
  /** Turns balancing off. `partition: "none"` sorts the endpoints of all `models` together. */
  readonly sort?: { readonly by: SortBy; readonly partition: "model" | "none" };
  /** Tokens a second; slower endpoints come after the others. */
  readonly preferredMinThroughput?: number;
  /** Milliseconds to the first content; slower endpoints come after the others. */
  readonly preferredMaxLatencyMs?: number;
  /** USD for a million tokens, and for a request; a hard bound. */
  readonly maxPrice?: {
    readonly prompt?: number;
    readonly completion?: number;
    readonly request?: number;
  };
  /** Only endpoints with documented zero retention. */
  readonly zdr: boolean;
  /** `deny`: only providers that are documented not to train on API data. */
  readonly dataCollection: "allow" | "deny";
  /** Only endpoints in one of these regions: `eu` stands for `eu-west-1`, too. */
  readonly region?: readonly string[];
  /** Only with the organization's own provider credentials, or with none of them. */
  readonly byok?: "only" | "never";
}

/** No wishes at all. */
export const NO_PREFERENCES: ProviderPreferences = {
  allowFallbacks: true,
  requireParameters: false,
  zdr: false,
  dataCollection: "allow",
};

/** What a caller asks of the plan beside the endpoints: the `route` object. */
export interface RouteWishes {
  readonly preference?: Preference;
  /** USD that the request may cost as far as it can be told beforehand; a hard bound. */
  readonly maxCostUsd?: number;
  /** Names of the operator's policy: `routing.labels.userLevel` and `businessGoal`. */
  readonly userLevel?: string;
  readonly businessGoal?: string;
}
