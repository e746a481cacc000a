import { isObject } from "#lib/json.ts";
import type { Call, SkippedRoute } from "#pipeline/call.ts";
import type { Needs } from "#routing/candidate.ts";
import { shadowRecord, type Answered, type ShadowRecord } from "#pipeline/shadow.ts";
import { hashText } from "#routing/dice.ts";
import {
  NO_PREFERENCES,
  type ProviderPreferences,
  type RouteWishes,
} from "#routing/preferences.ts";
import type { AutoDecision, RouteNumbers } from "#routing/route.ts";

/**
 * How a request was routed, as its record keeps it: enough to plan it again under another policy.
 * Numbers and names only, never text of the request.
 */
export interface DecisionRecord {
  readonly needs: Omit<Needs, "operation" | "protocol">;
  /** What the caller asked of the plan; absent: nothing. */
  readonly asked?: AskedOfPlan;
  /** Tells conversations apart; a hash. */
  readonly conversation?: string;
  /** The endpoint that answered, and the catalogue's id of its model; absent: none did. */
  readonly chosen?: string;
  readonly model?: string;
  readonly reason?: string;
  readonly numbers?: RouteNumbers;
  /** Present where the choice was the gateway's. */
  readonly auto?: AutoDecision;
  /** Routes that were passed over: their worst case or a limit of the key for their model was in the way. */
  readonly skipped?: readonly SkippedRoute[];
  /** What `auto` would have chosen where a model was named. */
  readonly shadow?: ShadowRecord;
}

/** A caller's own say in the choice, as far as it differs from having none. */
export interface AskedOfPlan {
  readonly models?: readonly string[];
  readonly preferences?: Partial<ProviderPreferences>;
  readonly wishes?: RouteWishes;
}

/** The decision of a request that was planned; `null` where it failed before. */
export function decisionOf(call: Call, answered: Answered | undefined): DecisionRecord | null {
  const { plan, needs, sessionKey } = call;
  if (plan === undefined || needs === undefined) return null;
  const { operation: _operation, protocol: _protocol, ...kept } = needs;
  const asked = askedOf(call);
  const shadow = call.shadow?.();
  return {
    needs: kept,
    ...(asked !== undefined && { asked }),
    ...(sessionKey !== undefined && { conversation: hashText(sessionKey).toString(36) }),
    ...(answered !== undefined && chosenOf(answered)),
    ...(call.skipped !== undefined && { skipped: call.skipped }),
    ...(plan.decision !== undefined && { auto: forRecord(plan.decision) }),
    ...(shadow !== undefined && { shadow: shadowRecord(shadow, answered) }),
  };
}

/** So many of the compared models are kept with a request; the explanation of a plan has more. */
const KEPT_RANKED = 6;

/** A decision as it is stored: a record should be nearer to one kilobyte than to ten. */
const forRecord = (decision: AutoDecision): AutoDecision => ({
  ...decision,
  assessment: rounded(decision.assessment) as AutoDecision["assessment"],
  ranked: decision.ranked.slice(0, KEPT_RANKED).map((one) => rounded(one) as typeof one),
});

const DIGITS = 1e4;

/** Numbers to four digits behind the point, at every depth. */
function rounded(value: unknown): unknown {
  if (typeof value === "number") return Math.round(value * DIGITS) / DIGITS;
  if (Array.isArray(value)) return value.map(rounded);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(inner)]));
}

const chosenOf = ({ route }: Answered) => ({
  chosen: route.key,
  model: route.model.id,
  reason: route.reason,
  numbers: route.numbers,
});

function askedOf({ options }: Call): AskedOfPlan | undefined {
  if (options === undefined) return undefined;
  const { models, provider, wishes } = options;
  const preferences = Object.fromEntries(
    Object.entries(provider).filter(
      ([name, value]) => value !== NO_PREFERENCES[name as keyof ProviderPreferences],
    ),
  );
  const asked = {
    ...(models.length > 0 && { models: models.map((name) => name.slice(0, MAX_NAME)) }),
    ...(Object.keys(preferences).length > 0 && { preferences }),
    ...(Object.keys(wishes).length > 0 && { wishes }),
  };
  return Object.keys(asked).length > 0 ? asked : undefined;
}

const MAX_NAME = 200;
