import { abilitiesOf } from "#catalog/abilities.ts";
import type { JsonObject } from "#lib/json.ts";
import { predictCost } from "#routing/auto/cost.ts";
import { pricesAt } from "#routing/candidate.ts";
import type {
  AutoDecision,
  AutoRanked,
  Plan,
  Rejection,
  Route,
  RouteNumbers,
} from "#routing/route.ts";
import { staticQuality } from "#routing/static-quality.ts";

/** What is told beside the plan itself. */
export interface PlanBackground {
  readonly asked: string;
  /** What `auto` would have chosen, where a model was named. */
  readonly shadow?: AutoDecision;
  /** What the output would be cut to. */
  readonly outputTokens?: number;
}

/** Rejections of one plan that are told. */
const MAX_REJECTED = 100;

/** A plan in JSON, for `POST /v1/route`: money in USD, free of the request's text. */
export function explainPlan(
  plan: Plan,
  { asked, shadow, outputTokens }: PlanBackground,
): JsonObject {
  const decision = plan.decision ?? shadow;
  const planned = new Set(plan.routes.map(({ key }) => key));
  const others = (plan.decision?.ranked ?? []).filter(({ key }) => !planned.has(key));
  return {
    object: "route",
    model: asked,
    ...explainDecision(decision),
    candidates: [
      ...plan.routes.map((route, at) => explainRoute(route, at, decision)),
      ...others.map(explainRanked),
    ],
    ...(plan.sticky !== undefined && {
      sticky: { endpoint: plan.sticky.key, cached_tokens: plan.sticky.cachedTokens },
    }),
    on_failure: Object.fromEntries(
      Object.entries(plan.onFailure).map(([code, routes]) => [code, routes.map(({ key }) => key)]),
    ),
    ...(outputTokens !== undefined && { output_cut_to: outputTokens }),
    rejected: plan.rejected.slice(0, MAX_REJECTED).map(explainRejection),
    rejected_count: plan.rejected.length,
    ...(plan.decision === undefined && shadow !== undefined && { auto: explainShadow(shadow) }),
  };
}

function explainDecision(decision: AutoDecision | undefined): JsonObject {
  if (decision === undefined) return {};
  const { assessment, preference, rule, flagship, savingNanoUsd, compared } = decision;
  const { taskClass, confidence, classes, difficulty, need, stakes, signals } = assessment;
  const flagshipNanoUsd = (decision.ranked[0]?.costNanoUsd ?? 0) + savingNanoUsd;
  return {
    class: taskClass,
    confidence,
    classes,
    difficulty,
    need,
    stakes,
    signals,
    preference,
    ...(rule !== undefined && { rule }),
    compared,
    flagship,
    saving_usd: usd(savingNanoUsd),
    saving_percent:
      flagshipNanoUsd > 0 ? Math.round((savingNanoUsd / flagshipNanoUsd) * 1_000) / 10 : 0,
  };
}

/** For one whose model was named: where `auto` would have gone. */
const explainShadow = ({ ranked: [first] }: AutoDecision): JsonObject =>
  first === undefined ? {} : { endpoint: first.key, model: first.model, reason: first.reason };

function explainRoute(route: Route, at: number, decision: AutoDecision | undefined): JsonObject {
  const { key, model, endpoint, regions, reason, numbers } = route;
  const { quality = null, costNanoUsd = null } =
    numbers.quality === undefined ? predicted(route, decision) : numbers;
  return {
    place: at + 1,
    endpoint: key,
    provider: endpoint.provider,
    model: model.id,
    region: regions[0] ?? null,
    reason,
    quality: rounded(quality),
    quality_lower: rounded(numbers.qualityLower ?? null),
    cost_usd: costNanoUsd === null ? null : usd(costNanoUsd),
    latency_ms: numbers.firstContentMs === undefined ? null : Math.round(numbers.firstContentMs),
    state: numbers.state,
    weight: numbers.weight,
  };
}

/** What `auto` would reckon with for an endpoint that the caller named. */
function predicted(
  { key, model, endpoint, numbers }: Route,
  decision: AutoDecision | undefined,
): Pick<RouteNumbers, "quality" | "costNanoUsd"> {
  if (decision === undefined || endpoint.prices === undefined) return numbers;
  const { assessment, inputTokens, expectedTurns } = decision;
  const candidate = {
    key,
    modelId: model.id,
    abilities: abilitiesOf(model.id),
    prices: pricesAt(endpoint, inputTokens) ?? endpoint.prices,
    reasoning: model.capabilities.reasoning === true,
    cachedTokens: 0,
  };
  const goal = { preference: decision.preference, inputTokens, expectedTurns, inToolLoop: false };
  const { costNanoUsd } = predictCost(assessment, candidate, goal);
  const quality = staticQuality(assessment, model.id, endpoint.prices);
  return { quality, costNanoUsd: Math.round(costNanoUsd) };
}

/** One that was compared and is not in the plan. */
const explainRanked = (one: AutoRanked): JsonObject => ({
  place: null,
  endpoint: one.key,
  provider: one.key.slice(0, one.key.indexOf("/")),
  model: one.model,
  reason: one.reason,
  quality: rounded(one.quality),
  quality_lower: rounded(one.qualityLower),
  cost_usd: usd(one.costNanoUsd),
  latency_ms: one.latencyMs,
});

const explainRejection = (rejection: Rejection): JsonObject => ({
  endpoint: rejection.key ?? `${rejection.endpoint.provider}/${rejection.endpoint.upstreamModel}`,
  constraint: rejection.constraint,
  reason: rejection.reason,
  relax: rejection.relax,
  ...(rejection.retryAfterMs !== undefined && {
    retry_after_ms: Math.round(rejection.retryAfterMs),
  }),
});

const usd = (nanoUsd: number): number => nanoUsd / 1e9;

const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 10_000) / 10_000;
