import { invalidRequest } from "#canonical/failure.ts";
import { ownValue } from "#lib/json.ts";
import type { Planning } from "#routing/planning.ts";
import type { LabelRule } from "#routing/policy.ts";
import type { Preference, SortBy } from "#routing/preferences.ts";

/** Names that leave the choice to the gateway, and what each leans to; `undefined`: as the policy says. */
const AUTO: Readonly<Record<string, Preference | undefined>> = {
  auto: undefined,
  "claude-auto": undefined,
  "auto:balanced": "balanced",
  "auto:cheap": "cheap",
  "auto:fast": "fast",
  "auto:best": "best",
};

/** All names that mean "choose for me". */
export const AUTO_NAMES: readonly string[] = Object.keys(AUTO);

export const isAutoName = (name: string): boolean => Object.hasOwn(AUTO, name.toLowerCase());

/** What `auto` leans to for a request, and the least quality that it accepts. */
export interface AutoLean {
  readonly preference: Preference;
  readonly qualityFloor?: number;
  /** The rule of the policy that said so. */
  readonly rule?: string;
}

const OF_SORT: Readonly<Record<SortBy, Preference>> = {
  price: "cheap",
  throughput: "fast",
  latency: "fast",
};

/**
 * What a request's `auto` leans to: the caller's own word, else a task rule, else its user level or
 * business goal, else the policy. @throws GatewayError where the caller says two different things
 */
export function leanOf(name: string, taskClass: string, planning: Planning): AutoLean {
  const { rules, request } = planning;
  const labels = labelsOf(planning);
  const floors = [rules.minQuality, ...labels.map(({ rule }) => rule.minQuality)];
  const known = floors.filter((floor) => floor !== undefined);
  const floor = known.length === 0 ? {} : { qualityFloor: Math.max(...known) };
  const own = ownPreference(name, planning);
  const governed = request.governance?.preference;
  if (governed !== undefined) return { preference: governed, rule: "policy", ...floor };
  if (own !== undefined) return { preference: own, ...floor };
  const task = rules.tasks.get(taskClass);
  if (task !== undefined && "preference" in task) {
    return { preference: task.preference, rule: `tasks.${taskClass}`, ...floor };
  }
  const label = labels.find(({ rule }) => rule.preference !== undefined);
  if (label !== undefined) {
    return { preference: label.rule.preference ?? rules.preference, rule: label.name, ...floor };
  }
  const sort = request.preferences.sort?.by;
  const usual = request.keyPreference ?? rules.preference;
  return { preference: sort === undefined ? usual : OF_SORT[sort], ...floor };
}

/** In the model's name or in `route.preference`; both only where they say the same. */
function ownPreference(name: string, { request }: Planning): Preference | undefined {
  const inName = ownValue(AUTO, name.toLowerCase());
  const asked = request.wishes.preference;
  if (inName === undefined || asked === undefined || inName === asked) return asked ?? inName;
  throw invalidRequest(
    "route.preference",
    `model and route.preference contradict each other: "${name}" and "${asked}". Leave one of them out.`,
  );
}

interface Label {
  readonly name: string;
  readonly rule: LabelRule;
}

/** The rules of the caller's labels. Throws `invalid_request` for one that the policy does not know. */
export function labelsOf({ request, context }: Planning): readonly Label[] {
  const { userLevel, businessGoal } = request.wishes;
  const { labels } = context.market.policy;
  return [
    ...labelOf("user_level", userLevel, labels.userLevel),
    ...labelOf("business_goal", businessGoal, labels.businessGoal),
  ];
}

/** A label that the policy does not know would silently ask for nothing. */
function labelOf(
  field: string,
  value: string | undefined,
  rules: ReadonlyMap<string, LabelRule>,
): readonly Label[] {
  if (value === undefined) return [];
  const rule = rules.get(value.toLowerCase());
  if (rule !== undefined) return [{ name: `${field}.${value.toLowerCase()}`, rule }];
  const known =
    rules.size === 0
      ? "This gateway's policy has none: leave it out."
      : `It must be one of ${[...rules.keys()].join(", ")}.`;
  throw invalidRequest(
    `route.${field}`,
    `route.${field}: there is no "${value.slice(0, 60)}". ${known}`,
  );
}
