import { GatewayError, invalidRequest, type FailureCode } from "#canonical/failure.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogEndpoint, ModelKind } from "#catalog/types.ts";
import { PROVIDERS } from "#providers/providers.ts";
import { isAutoName } from "#routing/auto-choice.ts";
import type { Market } from "#routing/market.ts";
import type { ProviderPreferences } from "#routing/preferences.ts";
import type { Constraint, Rejection } from "#routing/route.ts";

const endpointName = (endpoint: CatalogEndpoint): string =>
  `${endpoint.provider}/${endpoint.upstreamModel}`;

const MAX_SHOWN = 5;
const MAX_REMEDIES = 3;
const MAX_NAME = 120;

/** A name that nothing has, with names like it. */
export function unknownModel(name: string, catalog: Catalog): GatewayError {
  const near = nearNames(name, catalog);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new GatewayError({
    code: "unknown_model",
    field: "model",
    message: `There is no model "${name.slice(0, MAX_NAME)}".${hint} GET /v1/models lists all of them.`,
  });
}

/** Near names as they are listed: the demo's with its provider. */
const nearNames = (name: string, catalog: Catalog): readonly string[] =>
  catalog.near(name.slice(0, MAX_NAME), 3).map((id) => id.replace(/^demo-/, "demo/"));

/** A model that is there, and is for something else. */
export const wrongKind = (name: string, is: ModelKind, asked: ModelKind): GatewayError =>
  invalidRequest(
    "model",
    `"${name.slice(0, MAX_NAME)}" stands for ${withArticle(is)} model, and this request needs ${withArticle(asked)} model.`,
  );

const withArticle = (kind: ModelKind): string => `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;

interface NoRouteContext {
  readonly rejected: readonly Rejection[];
  readonly preferences: ProviderPreferences;
  readonly market: Market;
}

/** No endpoint was left: says by which bound each was left out, what to relax, and when to come again. */
export function noRoute(asked: string, context: NoRouteContext): GatewayError {
  const rejected = mostTelling(context.rejected);
  const reasons = [
    ...new Set([
      ...missingProviders(context),
      ...rejected.map(reasonOf),
      ...emptyChoice(asked, rejected),
    ]),
  ];
  const more = reasons.length > MAX_SHOWN ? ` and ${reasons.length - MAX_SHOWN} more` : "";
  const shown = reasons.length === 0 ? "" : ` (${reasons.slice(0, MAX_SHOWN).join("; ")}${more})`;
  const retryAfterMs = soonest(rejected);
  return new GatewayError({
    code: codeOf(context, retryAfterMs),
    field: "model",
    message: `No provider can serve "${asked.slice(0, MAX_NAME)}" for this request${shown}. ${remedyOf(rejected)}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Who may not is told so; another time or other words of the request would change nothing. */
function codeOf(
  { rejected, preferences }: NoRouteContext,
  retryAfterMs: number | undefined,
): FailureCode {
  const usable = rejected.filter(
    ({ constraint, endpoint }) => !NEVER.has(constraint) && isWanted(endpoint, preferences),
  );
  const keeping = new Set(usable.filter(isKept).map(endpointOf));
  if (keeping.size > 0 && usable.every((one) => keeping.has(endpointOf(one)))) {
    return "zdr_no_endpoint";
  }
  const denied = usable.filter(({ constraint }) => constraint === "policy").map(endpointOf);
  const all = new Set(denied);
  if (all.size > 0 && usable.every((one) => all.has(endpointOf(one)))) return "policy_denied";
  return retryAfterMs === undefined ? "no_route" : "unavailable";
}

/** Left out because its provider may keep what it is sent. */
const isKept = ({ constraint, reason }: Rejection): boolean =>
  constraint === "zdr" ||
  (constraint === "policy" && reason.startsWith("no documented zero retention"));

/** What the caller does not want at all has no part in why it cannot have what it wants. */
const isWanted = ({ provider }: CatalogEndpoint, { only, ignore }: ProviderPreferences): boolean =>
  only?.includes(provider) !== false && ignore?.includes(provider) !== true;

const NEVER: ReadonlySet<Constraint> = new Set(["no_key", "operation"]);

const endpointOf = ({ endpoint, key }: Rejection): string => key ?? endpointName(endpoint);

/** Nothing was left out because nothing was looked at: the operator's own bounds on `auto`. */
const emptyChoice = (asked: string, rejected: readonly Rejection[]): readonly string[] =>
  rejected.length === 0 && isAutoName(asked)
    ? ["routing.auto in the gateway's settings leaves no model to choose from"]
    : [];

/** Which providers have no key is only of interest where no other bound is in the way. */
function mostTelling(rejected: readonly Rejection[]): readonly Rejection[] {
  const telling = rejected.filter(({ constraint }) => constraint !== "no_key");
  return telling.length > 0 ? eachConstraintFirst(telling) : rejected;
}

/** So that what is shown names every bound before any comes twice. */
function eachConstraintFirst(rejected: readonly Rejection[]): readonly Rejection[] {
  const groups = [...Map.groupBy(rejected, ({ constraint }) => constraint).values()];
  return [...groups.flatMap((group) => group.slice(0, 1)), ...groups.flatMap((g) => g.slice(1))];
}

function remedyOf(rejected: readonly Rejection[]): string {
  if (rejected.length > 0 && rejected.every(({ constraint }) => constraint === "no_key")) {
    return "Set one of these keys in the environment and restart, or name another model.";
  }
  const remedies = [...new Set(rejected.map(({ relax }) => relax))].slice(0, MAX_REMEDIES);
  const all = [...remedies, "name another model"].join(", or ");
  return `${all.charAt(0).toUpperCase()}${all.slice(1)}.`;
}

/** When the first of those that are only kept away from may be tried again. */
function soonest(rejected: readonly Rejection[]): number | undefined {
  const waits = rejected.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** A missing key is said once a provider, with the variable that would hold it. */
const reasonOf = ({ endpoint, constraint, reason }: Rejection): string =>
  constraint === "no_key" ? missingKey(endpoint.provider) : `${endpointName(endpoint)}: ${reason}`;

function missingKey(provider: string): string {
  const variable = PROVIDERS[provider]?.auth.env[0];
  return `no key for ${provider}${variable === undefined ? "" : ` (${variable})`}`;
}

/** Providers that the caller insists on and that have no key. */
const missingProviders = ({ preferences, market }: NoRouteContext): readonly string[] =>
  (preferences.only ?? []).filter((name) => !market.providers.has(name)).map(missingKey);
