import type { HealthView } from "#health/endpoint-health.ts";
import { brokenBound, brokenBounds, boundReason, type Bounds } from "#routing/constraints.ts";
import { expectedCostNanoUsd, type Candidate, type Needs } from "#routing/candidate.ts";
import type { AssessInput, Assessment } from "#routing/auto/assess.ts";
import type { FeedbackEvidence } from "#routing/auto/predict-quality.ts";
import type { GovernanceBounds } from "#routing/governance-bounds.ts";
import type { Market } from "#routing/market.ts";
import { expectedFirstContentMs, isClosed, type Standing } from "#routing/order-candidates.ts";
import type { RoutingRules } from "#routing/policy.ts";
import type { Preference, ProviderPreferences, RouteWishes } from "#routing/preferences.ts";
import { rejectedAs } from "#routing/rejected-as.ts";
import type { AutoDecision, Plan, Rejection, Route, RouteNumbers } from "#routing/route.ts";
import type { PreviousChoice } from "#routing/session-memory.ts";

/** What a plan is made for. */
export interface RoutingRequest {
  /** The model's name as the caller wrote it. */
  readonly asked: string;
  /** Models to try after it. */
  readonly models: readonly string[];
  readonly preferences: ProviderPreferences;
  readonly wishes: RouteWishes;
  readonly needs: Needs;
  /** What its key allows, where anything bounds it. */
  readonly governance?: GovernanceBounds;
  /** What the key leans to where neither the request nor a rule says anything. */
  readonly keyPreference?: Preference;
  /** Looks at the request's text; called at most once, and only where `auto` or a task rule needs it. */
  readonly assessInput?: () => AssessInput;
  /** What was found in its text before: in place of looking. */
  readonly assessment?: Assessment;
  /** What canaries and weighted groups keep their choice by: the conversation, else its end user. */
  readonly stableId?: string;
  /** What answered the conversation's last turn. */
  readonly previous?: PreviousChoice;
}

/** What a plan is made from. */
export interface PlanContext {
  readonly market: Market;
  readonly health: HealthView;
  /** All dice come from it: same seed, same plan. An integer. */
  readonly seed: number;
  /** Milliseconds since the epoch, for the policy's time windows. */
  readonly nowMs: number;
  /** Monotonic milliseconds: the clock of `health`. */
  readonly tickMs: number;
  /** What feedback says of a model in a task class. */
  readonly evidenceOf?: (taskClass: string, modelId: string) => FeedbackEvidence | undefined;
}

/** One plan while it is made. */
export interface Planning {
  readonly request: RoutingRequest;
  readonly context: PlanContext;
  readonly rules: RoutingRules;
  readonly bounds: Bounds;
  readonly rejected: Rejection[];
  decision?: AutoDecision;
  sticky?: NonNullable<Plan["sticky"]>;
}

/** Those that no hard bound leaves out; the others are noted with the reason. */
export function withinBounds(
  candidates: readonly Candidate[],
  { bounds, rejected }: Planning,
): readonly Candidate[] {
  return candidates.filter((candidate) => {
    if (brokenBound(candidate, bounds) === undefined) return true;
    const { endpoint, key } = candidate;
    for (const constraint of brokenBounds(candidate, bounds)) {
      const reason = boundReason(constraint, candidate, bounds);
      rejected.push(rejectedAs(constraint, { endpoint, key, reason }));
    }
    return false;
  });
}

/** Those that may be tried now; the closed ones are noted, or stay where the policy says `tryAnyway`. */
export function openOnes(standings: readonly Standing[], planning: Planning): readonly Standing[] {
  if (planning.rules.tryAnyway || !standings.some(isClosed)) return standings;
  return standings.filter((standing) => {
    if (!isClosed(standing)) return true;
    planning.rejected.push(closedRejection(standing, planning.context.tickMs));
    return false;
  });
}

/** A closed endpoint, and when it may be tried again. */
export function closedRejection({ candidate, health }: Standing, tickMs: number): Rejection {
  const { endpoint, key } = candidate;
  const { openReason, retryAtMs } = health;
  const reason = openReason === undefined ? undefined : `it is kept away from (${openReason})`;
  const retryAfterMs = retryAtMs === undefined ? undefined : Math.max(0, retryAtMs - tickMs);
  return rejectedAs("unhealthy", {
    endpoint,
    key,
    reason,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A route of a candidate as it stands. */
export function toRoute(standing: Standing, reason: string, needs: Needs): Route {
  const { key, configured, model, endpoint, speech, regions, blendedPrice, salt } =
    standing.candidate;
  const numbers = numbersOf(standing, needs);
  return { key, configured, model, endpoint, speech, regions, blendedPrice, salt, reason, numbers };
}

function numbersOf({ candidate, health, score }: Standing, needs: Needs): RouteNumbers {
  const { weight, state } = health;
  const costNanoUsd = expectedCostNanoUsd(candidate.endpoint, needs);
  const firstContentMs = expectedFirstContentMs(health, needs.inputTokens);
  // One literal a case: plans can have a thousand routes, and spreading is slow.
  if (costNanoUsd === undefined) {
    return firstContentMs === undefined
      ? { weight, state, score }
      : { weight, state, score, firstContentMs };
  }
  return firstContentMs === undefined
    ? { weight, state, score, costNanoUsd }
    : { weight, state, score, costNanoUsd, firstContentMs };
}
