import type { CatalogEndpoint } from "#catalog/types.ts";
import type { HealthState } from "#health/endpoint-health.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Assessment } from "#routing/auto/assess.ts";
import type { RankedCandidate } from "#routing/auto/rank.ts";
import type { Candidate } from "#routing/candidate.ts";
import type { Preference } from "#routing/preferences.ts";

/** What a route was judged by. */
export interface RouteNumbers {
  /** Expected; absent when no price is known. */
  readonly costNanoUsd?: number;
  /** Predicted chance of a good answer, and its lower bound; `auto` only. */
  readonly quality?: number;
  readonly qualityLower?: number;
  /** Live, else as predicted; absent when nothing is known. */
  readonly firstContentMs?: number;
  readonly weight: number;
  readonly state: HealthState;
  /** What it was put in its place by: less is better, and comparable within one model only. */
  readonly score: number;
}

/** One endpoint that may answer a request, and why it is in the plan. */
export interface Route extends Candidate {
  /** A code: `asked`, `cheapest`, `balanced`, `order`, `sticky`, `fallback`, `chain:NAME`, … */
  readonly reason: string;
  readonly numbers: RouteNumbers;
}

/** The hard bounds by which an endpoint can be left out. */
export type Constraint =
  | "policy"
  | "no_key"
  | "own_only"
  | "operation"
  | "only"
  | "ignore"
  | "zdr"
  | "data_collection"
  | "region"
  | "max_price"
  | "max_cost"
  | "context"
  | "modality"
  | "require_parameters"
  | "allow_fallbacks"
  | "unhealthy";

/** An endpoint that was left out: told to the caller when nothing is left. */
export interface Rejection {
  readonly endpoint: CatalogEndpoint;
  /** The endpoint with its credential; absent where all credentials are meant. */
  readonly key?: string;
  readonly constraint: Constraint;
  readonly reason: string;
  /** What the caller or the operator can do about it. */
  readonly relax: string;
  /** Milliseconds until it may be tried again. */
  readonly retryAfterMs?: number;
}

/** What `auto` predicted of one model at one provider. */
export interface AutoRanked extends RankedCandidate {
  readonly model: string;
}

/** How `auto` chose. Free of the request's text; plain JSON, so that it can be stored and replayed. */
export interface AutoDecision {
  readonly preference: Preference;
  /** The task rule or label that had a say. */
  readonly rule?: string;
  readonly assessment: Assessment;
  readonly inputTokens: number;
  readonly expectedTurns: number;
  /** How many endpoints were compared; the best of them are in `ranked`. */
  readonly compared: number;
  readonly ranked: readonly AutoRanked[];
  /** Key of the ablest that could have answered, and what the first choice costs less. */
  readonly flagship: string;
  readonly savingNanoUsd: number;
}

/** Failures that only some other routes can help. */
export type FailureDetour = "context_length_exceeded" | "content_policy" | "region";

/** Where a request may be answered, in the order of trying. */
export interface Plan {
  readonly routes: readonly Route[];
  readonly rejected: readonly Rejection[];
  /** After such a failure these are tried in place of the rest of `routes`. */
  readonly onFailure: Readonly<Partial<Record<FailureDetour, readonly Route[]>>>;
  /** Endpoints that are kept away from may be tried when nothing else is left. */
  readonly tryAnyway: boolean;
  readonly decision?: AutoDecision;
  /** The conversation stays where it was, for so many tokens of prompt cache. */
  readonly sticky?: { readonly key: string; readonly cachedTokens: number };
}

/** Names one endpoint with one credential: model × provider × region × credential. Free of secrets. */
export const endpointKey = (
  { id, credentialId }: ConfiguredProvider,
  { upstreamModel }: CatalogEndpoint,
): string => `${id}/${upstreamModel}@${credentialId}`;
