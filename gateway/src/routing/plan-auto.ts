import { abilitiesOf } from "#catalog/abilities.ts";
import { assess, type AssessInput, type Assessment } from "#routing/auto/assess.ts";
import {
  rankCandidates,
  type AutoCandidate,
  type AutoGoal,
  type RankedCandidate,
} from "#routing/auto/rank.ts";
import { eligibleGroups, type AutoGroup } from "#routing/auto-candidates.ts";
import { leanOf, type AutoLean } from "#routing/auto-choice.ts";
import { boundReason, brokenBound, brokenPolicy } from "#routing/constraints.ts";
import { pricesAt, type Candidate } from "#routing/candidate.ts";
import {
  expectedFirstContentMs,
  isClosed,
  isFaulty,
  isHeldBack,
  standingOf,
  type Standing,
} from "#routing/order-candidates.ts";
import { ownFirst, tierOf } from "#routing/own-first.ts";
import { closedRejection, toRoute, type PlanContext, type Planning } from "#routing/planning.ts";
import { rejectedAs } from "#routing/rejected-as.ts";
import type { PreviousChoice } from "#routing/session-memory.ts";
import type { AutoDecision, AutoRanked, Constraint, Rejection, Route } from "#routing/route.ts";

/** How many of its candidates `auto` tries. */
const AUTO_ROUTES = 5;
/** The first so many of them are of different models and providers, as far as there are such. */
const DIVERSE_ROUTES = 3;
/** So many are compared, newer models before older ones. */
const MAX_COMPARED = 300;
/** So many of them are told. */
const MAX_TOLD = 20;
/** Of the many that do not fit, so many are noted. */
const MAX_NOTED = 200;
/** A conversation is expected to go on for as long as it has lasted, up to this. */
const MAX_EXPECTED_TURNS = 10;

/** What `auto` chose, and the class that it put the request in. */
export interface AutoPlan {
  readonly routes: readonly Route[];
  readonly taskClass: string;
}

/**
 * The routes of `auto`: the best models for this request as predicted, each provider once before any
 * comes twice. In a tool loop the model of the last turn goes on. The demo answers only where there
 * is nothing else.
 */
export function planAuto(name: string, planning: Planning): AutoPlan {
  const assessment = planning.request.assessment ?? assessNow(planning);
  const lean = leanOf(name, assessment.taskClass, planning);
  const compared = comparable(planning);
  const goal = goalOf(lean, planning);
  const candidates = compared.map((standing) => autoCandidate(standing, assessment, planning));
  const { ranked, flagship } = rankCandidates(assessment, candidates, goal);
  const byKey = new Map(compared.map((standing) => [standing.candidate.key, standing]));
  const known = ranked.flatMap((one) => {
    const standing = byKey.get(one.key);
    return standing === undefined ? [] : [{ standing, ranked: one }];
  });
  const order = inOrder(ownFirst(known, planning.context.market), planning);
  planning.decision ??= {
    ...decisionBase(lean, assessment, goal),
    compared: compared.length,
    ranked: order.slice(0, MAX_TOLD).map(told),
    flagship,
    savingNanoUsd: savingAgainst(flagship, order),
  };
  return {
    routes: firstOnes(order).map((one) => autoRoute(one, assessment, planning)),
    taskClass: assessment.taskClass,
  };
}

/** What the first choice costs less than the flagship; health and order may have moved it up. */
function savingAgainst(flagship: string, order: readonly Known[]): number {
  const cost = (known: Known | undefined): number => known?.ranked.costNanoUsd ?? 0;
  return cost(order.find(({ ranked }) => ranked.key === flagship)) - cost(order[0]);
}

const assessNow = (planning: Planning): Assessment =>
  assess(
    planning.request.assessInput?.() ?? unseen(planning),
    undefined,
    planning.context.market.adapter,
  );

/** A request whose text nobody gave. */
const unseen = ({ request }: Planning): AssessInput => ({
  lastUserText: "",
  systemText: "",
  earlierUserText: "",
  inputTokens: request.needs.inputTokens,
  turns: 1,
  toolCount: request.needs.tools ? 1 : 0,
  inToolLoop: request.needs.inToolLoop === true,
  wantsJson: request.needs.structuredOutput === true,
  attachments: request.needs.modalities,
});

/** What may answer: the best endpoint of each model at each provider. */
function comparable(planning: Planning): readonly Standing[] {
  const { request, context, rules } = planning;
  const real: Standing[] = [];
  const demo: Standing[] = [];
  const turnedAway: Rejection[] = [];
  let closed = 0;
  for (const group of choosable(planning)) {
    if (real.length >= MAX_COMPARED && group.modelId !== request.previous?.model) continue;
    const standing = bestOf(group, planning, turnedAway);
    if (standing === undefined) continue;
    if (!isClosed(standing) || rules.tryAnyway) {
      (group.provider === "demo" ? demo : real).push(standing);
      continue;
    }
    closed++;
    turnedAway.push(closedRejection(standing, context.tickMs));
  }
  for (const rejection of mostWanted(turnedAway)) planning.rejected.push(rejection);
  // A demo in place of a provider that is down would be a lie.
  return real.length > 0 || closed > 0 ? real : demo;
}

/** What the caller itself leaves out tells least: where not all is noted it is left out first. */
function mostWanted(turnedAway: readonly Rejection[]): readonly Rejection[] {
  if (turnedAway.length <= MAX_NOTED) return turnedAway;
  const isOwnWish = ({ constraint }: Rejection): boolean =>
    constraint === "only" || constraint === "ignore";
  const others = turnedAway.filter((rejection) => !isOwnWish(rejection));
  return [...others, ...turnedAway.filter(isOwnWish)].slice(0, MAX_NOTED);
}

function choosable({ request, context, rules }: Planning): readonly AutoGroup[] {
  const trials = request.governance?.freeOnly !== undefined;
  return eligibleGroups(context.market, { ...request.needs, trials }, rules.auto);
}

/** The endpoint of a group that would be asked: that of the last turn, else the soundest and cheapest. */
function bestOf(
  { candidates }: AutoGroup,
  planning: Planning,
  turnedAway: Rejection[],
): Standing | undefined {
  const { request, context } = planning;
  const { needs, preferences } = request;
  const { health, seed } = context;
  let best: Standing | undefined;
  for (const candidate of candidates) {
    const constraint = unfitFor(candidate, planning);
    if (constraint !== undefined) {
      const { endpoint, key } = candidate;
      const reason = boundReason(constraint, candidate, planning.bounds);
      if (turnedAway.length < MAX_NOTED)
        turnedAway.push(rejectedAs(constraint, { endpoint, key, reason }));
      continue;
    }
    const standing = standingOf(candidate, { needs, preferences, health, seed });
    if (candidate.key === request.previous?.key && mayStay(standing, planning)) return standing;
    if (best === undefined || isBetter(standing, best, context)) best = standing;
  }
  return best;
}

/** Whose own key works again goes back to it, but not in the middle of the model's work. */
const mayStay = (standing: Standing, { context, request }: Planning): boolean =>
  !isClosed(standing) &&
  (context.market.ownOrder === undefined || request.needs.inToolLoop === true);

function isBetter(a: Standing, b: Standing, { market }: PlanContext): boolean {
  if (market.ownOrder === undefined) return isSounder(a, b);
  if (isHeldBack(a) !== isHeldBack(b)) return isHeldBack(b);
  const [tierA, tierB] = [a, b].map(({ candidate }) => tierOf(candidate.configured, market));
  return tierA === tierB ? isSounder(a, b) : (tierA ?? 0) < (tierB ?? 0);
}

const isSounder = (a: Standing, b: Standing): boolean =>
  a.rank !== b.rank
    ? a.rank < b.rank
    : a.price === b.price &&
      a.health.inFlight / a.health.weight < b.health.inFlight / b.health.weight;

/** Where the caller did not choose the model, what is not known of it counts as missing. */
function unfitFor(candidate: Candidate, { bounds }: Planning): Constraint | undefined {
  const { model, endpoint } = candidate;
  const { needs } = bounds;
  if (brokenPolicy(candidate, bounds) !== undefined) return "policy";
  if ((endpoint.contextTokens ?? 0) < needs.inputTokens) return "context";
  if (!needs.modalities.every((modality) => model.input.includes(modality))) return "modality";
  if (needs.structuredOutput === true && model.capabilities.structuredOutput === false) {
    return "require_parameters";
  }
  return brokenBound(candidate, bounds);
}

function goalOf(lean: AutoLean, { request }: Planning): AutoGoal {
  const { previous, needs } = request;
  const { preference, qualityFloor } = lean;
  return {
    preference,
    inputTokens: needs.inputTokens,
    expectedTurns: Math.min(MAX_EXPECTED_TURNS, Math.max(1, previous?.turns ?? 1)),
    inToolLoop: needs.inToolLoop === true,
    ...(previous !== undefined && { currentKey: previous.key }),
    ...(qualityFloor !== undefined && { qualityFloor }),
  };
}

/** Prices are there: without them nothing is eligible. */
const NO_PRICES = { input: 0, output: 0 };

function autoCandidate(
  { candidate, health }: Standing,
  { taskClass }: Assessment,
  { request, context }: Planning,
): AutoCandidate {
  const { key, model, endpoint } = candidate;
  const { needs, previous } = request;
  const ttftMs = expectedFirstContentMs(health, needs.inputTokens);
  const evidence = context.evidenceOf?.(taskClass, model.id);
  return {
    key,
    modelId: model.id,
    abilities: abilitiesOf(model.id),
    prices: pricesAt(endpoint, needs.inputTokens) ?? NO_PRICES,
    reasoning: model.capabilities.reasoning === true,
    cachedTokens: previous?.key === key && isWarm(previous, context) ? previous.cachedTokens : 0,
    ...(ttftMs !== undefined && { ttftMs }),
    ...(health.tokensPerSecond !== undefined && { tokensPerSecond: health.tokensPerSecond }),
    ...(evidence !== undefined && { evidence }),
  };
}

/** Whether the provider is likely to have the conversation in its prompt cache still. */
const isWarm = ({ ageMs }: PreviousChoice, { market }: PlanContext): boolean =>
  ageMs <= (market.policy.stickyMs ?? 0);

interface Known {
  readonly standing: Standing;
  readonly ranked: RankedCandidate;
}

const told = ({ standing, ranked }: Known): AutoRanked => ({
  ...ranked,
  model: standing.candidate.model.id,
});

/** As ranked, and before that: the model of a tool loop, the caller's `order`, sound before faulty. */
function inOrder(known: readonly Known[], { request }: Planning): readonly Known[] {
  const { preferences, previous, needs } = request;
  const { order } = preferences;
  const asRanked = order === undefined && needs.inToolLoop !== true;
  if (asRanked && !known.some(({ standing }) => isFaulty(standing))) return known;
  const place = ({ standing }: Known): number => {
    const { endpoint } = standing.candidate;
    const at = order?.indexOf(endpoint.provider) ?? -1;
    return (isFaulty(standing) ? 1_000 : 0) + (at === -1 ? (order?.length ?? 0) : at);
  };
  const loyalty = ({ standing }: Known): number => {
    const { key, model } = standing.candidate;
    if (needs.inToolLoop !== true || previous === undefined || isClosed(standing)) return 2;
    return key === previous.key ? 0 : model.id === previous.model ? 1 : 2;
  };
  return known.toSorted((a, b) => loyalty(a) - loyalty(b) || place(a) - place(b));
}

/** So much quality may be given up for another provider, whose failures are its own. */
const DIVERSITY_MARGIN = 0.1;

/**
 * The first ones, of different models and, where they are about as good, of different providers. The
 * third is another provider's in any case: a weaker answer is better than none.
 */
function firstOnes(order: readonly Known[]): readonly Known[] {
  const taken: Known[] = [];
  const isNew = (of: (known: Known) => string) => (known: Known) =>
    !taken.some((one) => of(one) === of(known));
  const newModel = isNew(({ standing }) => standing.candidate.model.id);
  const newProvider = isNew(({ standing }) => standing.candidate.endpoint.provider);
  const enough = (order[0]?.ranked.qualityLower ?? 0) - DIVERSITY_MARGIN;
  const isGood = ({ ranked }: Known): boolean => ranked.qualityLower >= enough;
  while (taken.length < Math.min(AUTO_ROUTES, order.length)) {
    const left = order.filter((known) => !taken.includes(known));
    const isLast = taken.length === DIVERSE_ROUTES - 1;
    const next =
      left.find((known) => newModel(known) && newProvider(known) && isGood(known)) ??
      (isLast ? left.find(newProvider) : undefined) ??
      left.find(newModel) ??
      left[0];
    if (next === undefined) break;
    taken.push(next);
  }
  return taken;
}

function autoRoute({ standing, ranked }: Known, assessment: Assessment, planning: Planning): Route {
  const isDemo = standing.candidate.endpoint.provider === "demo";
  // One that was only compared is in the plan for when those before it fail.
  const why = ranked.reason === "lower-score" ? "fallback" : ranked.reason;
  const reason = isDemo ? "auto:demo" : `auto:${assessment.taskClass}:${why}`;
  const route = toRoute(standing, reason, planning.request.needs);
  const { quality, qualityLower, costNanoUsd } = ranked;
  return {
    ...route,
    numbers: { ...route.numbers, quality, qualityLower, costNanoUsd, score: -ranked.score },
  };
}

const decisionBase = (
  { preference, rule }: AutoLean,
  assessment: Assessment,
  { inputTokens, expectedTurns }: AutoGoal,
): Pick<AutoDecision, "preference" | "rule" | "assessment" | "inputTokens" | "expectedTurns"> => ({
  preference,
  assessment,
  inputTokens,
  expectedTurns,
  ...(rule !== undefined && { rule }),
});
