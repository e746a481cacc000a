import { isAutoName, labelsOf } from "#routing/auto-choice.ts";
import { checkPreferences } from "#routing/check-preferences.ts";
import { dice, hashText } from "#routing/dice.ts";
import { planAuto } from "#routing/plan-auto.ts";
import { modelRoutes, splitSuffix, type Named } from "#routing/plan-models.ts";
import { findCandidates, KIND_OF } from "#routing/find-candidates.ts";
import { noRoute, unknownModel, wrongKind } from "#routing/no-route.ts";
import { type PlanContext, type Planning, type RoutingRequest } from "#routing/planning.ts";
import type { GroupMember } from "#routing/policy.ts";
import { rejectedAs } from "#routing/rejected-as.ts";
import type { Plan, Route } from "#routing/route.ts";
import { rulesAt } from "#routing/rules-at.ts";

/**
 * Orders the endpoints that may answer: the asked model's first, then those of each of `models`, then
 * the operator's fallback chain, each with its numbers and a reason code; those that are left out are
 * in `rejected`. Pure: same request, context and seed, same plan. Throws `unknown_model` with near
 * names, `invalid_request` for contradicting preferences, or `no_route` with what to relax.
 */
export function planRoutes(request: RoutingRequest, context: PlanContext): Plan {
  const { market } = context;
  checkPreferences(request.preferences, market);
  const planning = openPlanning(request, context);
  labelsOf(planning);
  const stages = stagesOf(planning).map((stage) => stageRoutes(stage, planning));
  const routes = unique(stages);
  const kept = request.preferences.allowFallbacks ? routes : withoutFallbacks(routes, planning);
  const found = kept.length > 0 ? kept : longerOnes(planning);
  const { rejected, decision, sticky } = planning;
  if (found.length === 0) {
    throw noRoute(request.asked, { rejected, preferences: request.preferences, market });
  }
  return {
    routes: found,
    rejected,
    onFailure: detours(found, planning),
    tryAnyway: planning.rules.tryAnyway,
    ...(decision !== undefined && { decision }),
    ...(sticky !== undefined && { sticky }),
  };
}

const NANO_USD = 1e9;

function openPlanning(request: RoutingRequest, context: PlanContext): Planning {
  const { needs, preferences, wishes, governance } = request;
  const { maxCostUsd } = wishes;
  const maxCost = maxCostUsd === undefined ? {} : { maxCostNanoUsd: maxCostUsd * NANO_USD };
  return {
    request,
    context,
    rules: rulesAt(context.market.policy, context.nowMs),
    bounds: { needs, preferences, ...maxCost, ...(governance !== undefined && { governance }) },
    rejected: [],
  };
}

/** Names whose routes follow each other in a plan. */
interface Stage {
  /** More than one: their endpoints are sorted together. */
  readonly names: readonly string[];
  /** In place of each route's own reason. */
  readonly reason?: string;
  /** The operator's own names: one that is not there now is passed over. */
  readonly lenient?: true;
}

function stagesOf(planning: Planning): readonly Stage[] {
  const { asked, models, preferences } = planning.request;
  const canary = canaryOf(planning);
  const first: readonly Stage[] =
    canary === undefined
      ? [{ names: [asked] }]
      : [
          { names: [canary], reason: "canary", lenient: true },
          { names: [asked], reason: "fallback" },
        ];
  if (!preferences.allowFallbacks) return first;
  const chain = chainOf(planning);
  const all = [asked, ...models];
  if (preferences.sort?.partition === "none" && all.every((name) => isPlain(name, planning))) {
    return [{ names: all }, ...chain];
  }
  return [...first, ...models.map((name) => ({ names: [name], reason: "fallback" })), ...chain];
}

const targetOf = (name: string, { context }: Planning): string =>
  context.market.aliases.get(name.toLowerCase()) ?? name;

/** A model's name, and not one of `auto` or a group. */
const isPlain = (name: string, planning: Planning): boolean => {
  const target = targetOf(name, planning);
  return !isAutoName(target) && !planning.rules.groups.has(target.toLowerCase());
};

/** What a conversation's share-wise choices hang on: they must not change from turn to turn. */
const stableSeed = ({ request, context }: Planning): number =>
  request.stableId === undefined ? context.seed : hashText(request.stableId);

function canaryOf(planning: Planning): string | undefined {
  const { canaries } = planning.rules;
  if (canaries.size === 0) return undefined;
  const { asked } = planning.request;
  const model = targetOf(asked, planning).toLowerCase();
  const canary = canaries.get(asked.toLowerCase()) ?? canaries.get(model);
  if (canary === undefined) return undefined;
  const share = dice(stableSeed(planning), hashText(`canary ${canary.to}`)) * 100;
  return share < canary.percent ? canary.to : undefined;
}

/** The operator's chain for the asked name, for the model that it is, or for all. */
function chainOf(planning: Planning): readonly Stage[] {
  const { fallbacks } = planning.rules;
  if (fallbacks.size === 0) return [];
  const { asked, needs } = planning.request;
  const target = targetOf(asked, planning);
  const model = findCandidates(splitSuffix(target).base, planning.context.market, needs)?.model.id;
  const names = [asked.toLowerCase(), target.toLowerCase(), model ?? "*", "*"];
  const found = names.find((name) => fallbacks.has(name));
  return (fallbacks.get(found ?? "") ?? []).map((name) => ({
    names: [name],
    reason: `chain:${found}`,
    lenient: true as const,
  }));
}

function stageRoutes(stage: Stage, planning: Planning): readonly Route[] {
  const targets = stage.names.map((name) => targetOf(name, planning));
  const [target = ""] = targets;
  const group = planning.rules.groups.get(target.toLowerCase());
  if (group !== undefined) return groupRoutes(target, group, planning);
  const routes = isAutoName(target)
    ? autoRoutes(stage, target, planning)
    : modelRoutes(servable(stage, targets, planning), planning);
  const { reason } = stage;
  return reason === undefined ? routes : routes.map((route) => ({ ...route, reason }));
}

/** Those of the model that a task rule names, and behind them the predicted ones. */
function autoRoutes(stage: Stage, target: string, planning: Planning): readonly Route[] {
  const kind = KIND_OF[planning.request.needs.operation];
  if (kind !== "chat") {
    if (stage.lenient === true) return [];
    throw wrongKind(stage.names[0] ?? target, "chat", kind);
  }
  const { routes, taskClass } = planAuto(target, planning);
  const model = taskModel(taskClass, planning);
  if (model === undefined || !isPlain(model, planning)) return routes;
  const named = { names: [model], reason: `task:${taskClass}`, lenient: true as const };
  const first = stageRoutes(named, planning);
  if (first.length > 0) noteRule(planning, first);
  return [...first, ...routes];
}

/** The key's policy has the first word, then the operator's settings. */
function taskModel(taskClass: string, { request, rules }: Planning): string | undefined {
  const rule = rules.tasks.get(taskClass);
  const own = rule !== undefined && "model" in rule ? rule.model : undefined;
  return request.governance?.tasks.get(taskClass)?.value ?? own;
}

/** What the operator's rule chose costs what it costs: that is no saving of a prediction's. */
function noteRule(planning: Planning, [first]: readonly Route[]): void {
  const { decision } = planning;
  const cost = first?.numbers.costNanoUsd;
  if (decision === undefined) return;
  const flagshipCost = decision.savingNanoUsd + (decision.ranked[0]?.costNanoUsd ?? 0);
  const savingNanoUsd = cost === undefined ? 0 : Math.round(flagshipCost - cost);
  planning.decision = { ...decision, savingNanoUsd };
}

/** What the names stand for, where that can do what is asked; a caller is told what cannot. */
function servable(stage: Stage, targets: readonly string[], planning: Planning): readonly Named[] {
  const { market } = planning.context;
  const { needs } = planning.request;
  const kind = KIND_OF[needs.operation];
  return targets.flatMap((target, at) => {
    const name = stage.names[at] ?? target;
    const { base, suffix } = splitSuffix(target);
    const found = findCandidates(base, market, needs);
    if (found?.model.kind === kind) return [{ found, suffix }];
    if (stage.lenient === true) return [];
    throw found === undefined
      ? unknownModel(name, market.catalog)
      : wrongKind(name, found.model.kind, kind);
  });
}

/** The members by lot, heavier ones more often first; the same for the whole of a conversation. */
function groupRoutes(
  name: string,
  members: readonly GroupMember[],
  planning: Planning,
): readonly Route[] {
  const seed = stableSeed(planning);
  // Efraimidis and Spirakis 2006: u^(1/weight) in descending order draws by weight without return.
  const ticket = ({ model, weight }: GroupMember): number =>
    dice(seed, hashText(`${name} ${model}`)) ** (1 / weight);
  return members
    .toSorted((a, b) => ticket(b) - ticket(a))
    .filter(({ model }) => isPlain(model, planning))
    .flatMap(({ model }) =>
      stageRoutes({ names: [model], reason: `group:${name}`, lenient: true }, planning),
    );
}

/** No endpoint is tried twice: its first place counts. Within one list they differ already. */
function unique(lists: readonly (readonly Route[])[]): readonly Route[] {
  const [first = []] = lists;
  if (lists.length <= 1) return first;
  const seen = new Set<string>();
  return lists.flat().filter(({ key }) => !seen.has(key) && seen.add(key));
}

/** `allow_fallbacks: false`: the providers of `order`, else the first route alone. */
function withoutFallbacks(routes: readonly Route[], planning: Planning): readonly Route[] {
  const { order } = planning.request.preferences;
  const stays = ({ endpoint }: Route, at: number): boolean =>
    order === undefined ? at === 0 : order.includes(endpoint.provider);
  for (const [at, route] of routes.entries()) {
    if (stays(route, at)) continue;
    const { endpoint, key } = route;
    planning.rejected.push(rejectedAs("allow_fallbacks", { endpoint, key }));
  }
  return routes.filter(stays);
}

/** Where only some other routes can help, those; the operator's lists come behind what is in the plan. */
function detours(kept: readonly Route[], planning: Planning): Plan["onFailure"] {
  const { onContextLength, onContentPolicy, onRegionFailure } = planning.rules;
  const [first] = kept;
  if (!planning.request.preferences.allowFallbacks || first === undefined) return {};
  const context = first.endpoint.contextTokens ?? 0;
  const { regions } = first;
  const longer = kept.filter(({ endpoint }) => (endpoint.contextTokens ?? 0) > context);
  const elsewhere = kept.filter((route) => liesApart(route.regions, regions));
  const listed = (names: readonly string[], detour: string): readonly Route[] =>
    listedRoutes(names, detour, planning);
  return {
    context_length_exceeded: unique([longer, listed(onContextLength, "context")]),
    region: unique([elsewhere, listed(onRegionFailure, "region")]),
    ...(onContentPolicy.length > 0 && { content_policy: listed(onContentPolicy, "policy") }),
  };
}

/** Where all that was asked for is too small, what the operator named for that is the plan. */
const longerOnes = (planning: Planning): readonly Route[] =>
  planning.rejected.some(({ constraint }) => constraint === "context")
    ? unique([listedRoutes(planning.rules.onContextLength, "context", planning)])
    : [];

/** Both are known, and they have none in common. */
const liesApart = (regions: readonly string[], others: readonly string[]): boolean =>
  regions.length > 0 && others.length > 0 && !regions.some((region) => others.includes(region));

/** Routes of the operator's own names; what is not there or does not fit is passed over. */
const listedRoutes = (
  names: readonly string[],
  detour: string,
  planning: Planning,
): readonly Route[] =>
  names.flatMap((name) =>
    stageRoutes(
      { names: [name], reason: `chain:${detour}`, lenient: true },
      { ...planning, rejected: [] },
    ),
  );
