import type { ServiceTier } from "#canonical/usage.ts";
import { globPattern, type NamePattern } from "#lib/glob.ts";
import { expectedCostNanoUsd, pricesAt, type Candidate, type Needs } from "#routing/candidate.ts";
import type { Preference } from "#routing/preferences.ts";
import { liesIn } from "#routing/regions.ts";

/** Which level of the organization a rule comes from. */
export interface RuleOrigin {
  readonly level: string;
  readonly targetId: string;
  readonly source: string;
}

interface RuledList {
  readonly value: readonly string[];
  readonly origin: RuleOrigin;
}

/**
 * What whoever answers for a key allows: hard bounds of every plan, whatever its request asks for.
 * `EffectivePolicy` of `governance/` has this shape.
 */
export interface GovernanceBounds {
  readonly allowedModels: readonly RuledList[];
  readonly deniedModels: readonly RuledList[];
  readonly allowedProviders: readonly RuledList[];
  readonly deniedProviders: readonly RuledList[];
  readonly allowedEndpoints: readonly RuledList[];
  readonly regions: readonly RuledList[];
  readonly zeroRetention: boolean;
  readonly noTraining: boolean;
  readonly deniedCapabilities: ReadonlyMap<string, RuleOrigin>;
  readonly maxRequestNanoUsd?: bigint;
  readonly maxInputPicoUsdPerToken?: number;
  readonly maxOutputPicoUsdPerToken?: number;
  readonly preference?: Preference;
  readonly tasks: ReadonlyMap<string, { readonly value: string }>;
  /** Only what costs nothing, and the demo. */
  readonly freeOnly?: RuleOrigin;
  readonly origins: Readonly<Partial<Record<string, RuleOrigin>>>;
}

/** Of one endpoint the same for all requests: worked out once, and forgotten with the bounds. */
const known = new WeakMap<GovernanceBounds, WeakMap<Candidate, string | false>>();

/** Why the bounds forbid an endpoint for a request, and at which level; `undefined`: they do not. */
export function forbiddenBy(
  candidate: Candidate,
  bounds: GovernanceBounds | undefined,
  needs: Needs,
): string | undefined {
  if (bounds === undefined) return undefined;
  return forbiddenAlways(candidate, bounds) ?? tooDear(candidate, bounds, needs);
}

/** The part of it that no request changes: which models, where, and under which terms. */
function forbiddenAlways(candidate: Candidate, bounds: GovernanceBounds): string | undefined {
  let verdicts = known.get(bounds);
  if (verdicts === undefined) known.set(bounds, (verdicts = new WeakMap()));
  let verdict = verdicts.get(candidate);
  if (verdict === undefined) verdicts.set(candidate, (verdict = judge(candidate, bounds) ?? false));
  return verdict === false ? undefined : verdict;
}

/** `the policy of project proj_…`, `the settings of the key`. */
export function ruleWords({ level, targetId, source }: RuleOrigin): string {
  if (source === "settings") return "the settings of the key";
  if (source === "plan") return "the plan of the organization";
  return level === "key" ? "the policy of the key" : `the policy of ${level} ${targetId}`;
}

const judge = (candidate: Candidate, bounds: GovernanceBounds): string | undefined =>
  forbiddenModel(candidate, bounds) ??
  forbiddenProvider(candidate, bounds) ??
  forbiddenPlace(candidate, bounds) ??
  forbiddenTerms(candidate, bounds);

/** Models that search the web without being given a tool for it. */
const SEARCHES = /(?:^|[-/])(?:sonar|compound)|search|:online$/;

const searches = ({ model, endpoint }: Candidate): boolean =>
  SEARCHES.test(model.id.toLowerCase()) || SEARCHES.test(endpoint.upstreamModel.toLowerCase());

function forbiddenModel(candidate: Candidate, bounds: GovernanceBounds): string | undefined {
  const { allowedModels, deniedModels, allowedEndpoints, deniedCapabilities } = bounds;
  const names = modelNames(candidate);
  const other = allowedModels.find(({ value }) => !fits(value, names.slice(0, ALLOWED_BY)));
  if (other !== undefined) return `its model is not allowed by ${ruleWords(other.origin)}`;
  const denied = deniedModels.find(({ value }) => fits(value, names));
  if (denied !== undefined) return `its model is denied by ${ruleWords(denied.origin)}`;
  const key = [candidate.key.toLowerCase()];
  const apart = allowedEndpoints.find(({ value }) => !fits(value, key));
  if (apart !== undefined) return `it is no endpoint that ${ruleWords(apart.origin)} allow`;
  const search = deniedCapabilities.get("web-search");
  return search !== undefined && searches(candidate)
    ? `its model searches the web by itself (web-search is denied by ${ruleWords(search)})`
    : undefined;
}

/** By so many of its names a model can be allowed: the catalogue's id, alone and with the provider. */
const ALLOWED_BY = 2;

/**
 * All names of a model. It is denied by any of them, however a caller spells it: an id that the
 * catalogue does not know may be somebody's longer name for one that is denied.
 */
function modelNames({ model, endpoint }: Candidate): readonly string[] {
  const { id, author, aliases } = model;
  const { provider, upstreamModel } = endpoint;
  const names = [id, `${provider}/${id}`, `${author}/${id}`, upstreamModel, ...aliases];
  const all = [...names, `${provider}/${upstreamModel}`, ...names.flatMap(lastParts)];
  return all.map((name) => name.toLowerCase());
}

/** `openrouter`'s `openai/gpt-5` and Bedrock's `eu.anthropic.claude-…` end in the maker's own name. */
const lastParts = (name: string): readonly string[] => {
  const slash = name.lastIndexOf("/");
  const own = name.slice(slash + 1);
  const maker = /^(?:[a-z-]+\.)?[a-z0-9]+\.(?=[a-z])/i.exec(own)?.[0] ?? "";
  return [own, own.slice(maker.length)];
};

function forbiddenProvider({ endpoint }: Candidate, bounds: GovernanceBounds): string | undefined {
  const { provider } = endpoint;
  const other = bounds.allowedProviders.find(({ value }) => !fits(value, [provider]));
  if (other !== undefined) return `its provider is not allowed by ${ruleWords(other.origin)}`;
  const denied = bounds.deniedProviders.find(({ value }) => fits(value, [provider]));
  return denied && `its provider is denied by ${ruleWords(denied.origin)}`;
}

function forbiddenPlace({ regions }: Candidate, bounds: GovernanceBounds): string | undefined {
  const outside = bounds.regions.find(({ value }) => !liesIn(regions, value));
  if (outside === undefined) return undefined;
  const where =
    regions.length === 0 ? "it is not known where it runs" : `it is in ${regions.join(", ")}`;
  return `${where}, and ${ruleWords(outside.origin)} allows ${outside.value.join(", ")} only`;
}

function forbiddenTerms(
  { configured, endpoint }: Candidate,
  bounds: GovernanceBounds,
): string | undefined {
  const { retention, local } = configured.provider;
  const { origins, freeOnly } = bounds;
  // An own credential's costs are between the organization and the provider.
  if (freeOnly !== undefined && configured.own === undefined && !isFree(endpoint)) {
    return `it costs money, which ${ruleWords(freeOnly)} excludes until there is credit`;
  }
  // What runs on the operator's own machine gives nothing away.
  if (local === true) return undefined;
  if (bounds.zeroRetention && retention?.days !== 0) {
    return `no documented zero retention (wanted by ${wordsOf(origins["zeroRetention"])})`;
  }
  return bounds.noTraining && retention?.trainsOnApiData !== false
    ? `not documented that it does not train on API data (wanted by ${wordsOf(origins["noTraining"])})`
    : undefined;
}

const isFree = ({ provider, prices }: Candidate["endpoint"]): boolean =>
  provider === "demo" ||
  (prices !== undefined &&
    prices.input === 0 &&
    prices.output === 0 &&
    (prices.perRequestNanoUsd ?? 0) === 0);

type Amount = number | bigint | undefined;

/** What bounds money, and the figure of an endpoint that it bounds; prices hang on the input's length. */
const CAPS: readonly {
  readonly rule: keyof GovernanceBounds & `max${string}`;
  readonly words: string;
  readonly figure: (endpoint: Candidate["endpoint"], needs: Needs) => Amount;
}[] = [
  {
    rule: "maxInputPicoUsdPerToken",
    words: "its input is dearer",
    figure: (endpoint, needs) => pricesFor(endpoint, needs)?.input,
  },
  {
    rule: "maxOutputPicoUsdPerToken",
    words: "its output is dearer",
    figure: (endpoint, needs) => pricesFor(endpoint, needs)?.output,
  },
  {
    rule: "maxRequestNanoUsd",
    words: "it would cost more",
    figure: (endpoint, needs) => expectedCostNanoUsd(endpoint, { ...needs, ...shortAnswer(needs) }),
  },
];

/** Longer answers are cut to what a request may cost, once its worst case is known. */
const SHORT_ANSWER_TOKENS = 256;

const shortAnswer = ({ maxOutputTokens = Infinity }: Needs): Pick<Needs, "maxOutputTokens"> => ({
  maxOutputTokens: Math.min(SHORT_ANSWER_TOKENS, maxOutputTokens),
});

/** What has no known price may cost anything. */
function tooDear(
  { endpoint }: Candidate,
  bounds: GovernanceBounds,
  needs: Needs,
): string | undefined {
  for (const { rule, words, figure } of CAPS) {
    const cap = bounds[rule];
    if (cap === undefined) continue;
    const known = figure(endpoint, needs);
    const by = wordsOf(bounds.origins[rule]);
    if (known === undefined) return `its price is not known, and ${by} bounds it`;
    if (known > cap) return `${words} than ${by} allows`;
  }
  return undefined;
}

const pricesFor = (endpoint: Candidate["endpoint"], needs: Needs): ReturnType<typeof pricesAt> =>
  tierPrices(endpoint.prices, needs.tier) ?? pricesAt(endpoint, needs.inputTokens);

const tierPrices = (
  prices: Candidate["endpoint"]["prices"],
  tier: ServiceTier | undefined,
): ReturnType<typeof pricesAt> =>
  tier === undefined || tier === "default" ? undefined : prices?.tiers?.[tier];

const wordsOf = (origin: RuleOrigin | undefined): string =>
  origin === undefined ? "a policy" : ruleWords(origin);

/** Compiled once a list: lists live as long as the policy that they are of. */
const compiled = new WeakMap<readonly string[], readonly NamePattern[]>();

function fits(globs: readonly string[], names: readonly string[]): boolean {
  let patterns = compiled.get(globs);
  if (patterns === undefined) compiled.set(globs, (patterns = globs.map(globPattern)));
  return patterns.some((pattern) => names.some((name) => pattern.test(name)));
}
