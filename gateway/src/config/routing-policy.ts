import type { RoutingSection } from "@turnpike/contract/config.ts";

import { TASK_CLASSES } from "#routing/auto/task-classes.ts";
import { DEFAULT_POLICY } from "#routing/policy.ts";
import type {
  GroupMember,
  LabelRule,
  RoutingPolicy,
  RoutingRules,
  TaskRule,
  TimeWindow,
} from "#routing/policy.ts";
import { PREFERENCE_NAMES } from "#routing/preferences.ts";

type Window = NonNullable<RoutingSection["windows"]>[number];
type WrittenRules = Omit<Window, "from" | "to" | "days" | "timeZone">;

/** The policy that a `routing` section describes; what it leaves out stays as the default says. */
export function policyOf(section: RoutingSection): RoutingPolicy {
  const { labels, shadow, learning, hedge, allowFaultHeader, health, windows, baseline } = section;
  const { stickyMs = 0, ...defaults } = DEFAULT_POLICY;
  return {
    ...defaults,
    ...stickyOf(section.sticky, stickyMs),
    ...rulesOf(section),
    windows: (windows ?? []).map(windowOf),
    labels: {
      userLevel: labelsOf(labels?.userLevel),
      businessGoal: labelsOf(labels?.businessGoal),
    },
    shadowPercent: shadow?.percent ?? 0,
    learning: { enabled: learning?.enabled !== false, explore: learning?.explore !== false },
    allowFaultHeader: allowFaultHeader === true,
    health: health ?? {},
    ...(hedge !== undefined && { hedge: hedgeOf(hedge) }),
    ...(baseline !== undefined && { baseline }),
  };
}

const stickyOf = (
  sticky: RoutingSection["sticky"],
  defaultMs: number,
): Pick<RoutingPolicy, "stickyMs"> =>
  sticky?.off === true ? {} : { stickyMs: sticky?.ttlMs ?? defaultMs };

const hedgeOf = ({
  percent,
  afterMs,
}: NonNullable<RoutingSection["hedge"]>): NonNullable<RoutingPolicy["hedge"]> => ({
  percent,
  ...(afterMs !== undefined && { afterMs }),
});

/** Only what is written: a window replaces those rules and no others. */
function rulesOf(written: WrittenRules): Partial<RoutingRules> {
  const { fallbacks, groups, canaries, tasks, auto } = written;
  return {
    ...asWritten(written),
    ...(fallbacks !== undefined && { fallbacks: chainsOf(fallbacks) }),
    ...(groups !== undefined && { groups: groupsOf(groups) }),
    ...(canaries !== undefined && { canaries: canariesOf(canaries) }),
    ...(tasks !== undefined && { tasks: tasksOf(tasks) }),
    ...(auto !== undefined && {
      auto: {
        allow: auto.allow ?? [],
        deny: auto.deny ?? [],
        providers: auto.providers ?? [],
      },
    }),
  };
}

const PLAIN = [
  "preference",
  "minQuality",
  "tryAnyway",
  "onContextLength",
  "onContentPolicy",
  "onRegionFailure",
] as const;

const asWritten = (written: WrittenRules): Partial<RoutingRules> =>
  Object.fromEntries(
    PLAIN.filter((name) => written[name] !== undefined).map((name) => [name, written[name]]),
  );

const chainsOf = (
  chains: NonNullable<WrittenRules["fallbacks"]>,
): ReadonlyMap<string, readonly string[]> =>
  new Map(chains.map(({ model, to }) => [model.toLowerCase(), to]));

const groupsOf = (
  groups: NonNullable<WrittenRules["groups"]>,
): ReadonlyMap<string, readonly GroupMember[]> =>
  new Map(
    Object.entries(groups).map(([name, members]) => [
      name.toLowerCase(),
      members.map(({ model, weight, provider }) => ({
        model: provider === undefined ? model : `${provider}/${model}`,
        weight: weight ?? 1,
      })),
    ]),
  );

const canariesOf = (canaries: NonNullable<WrittenRules["canaries"]>): RoutingRules["canaries"] =>
  new Map(canaries.map(({ model, to, percent }) => [model.toLowerCase(), { to, percent }]));

/** A rule for several classes is one for each of them; what is written later wins. */
const tasksOf = (tasks: NonNullable<WrittenRules["tasks"]>): ReadonlyMap<string, TaskRule> =>
  new Map(
    Object.entries(tasks).flatMap(([pattern, target]) =>
      taskClassesOf(pattern).map((name): [string, TaskRule] => [name, taskRuleOf(target)]),
    ),
  );

function taskRuleOf(target: string | number): TaskRule {
  const preference =
    typeof target === "number" ? target : PREFERENCE_NAMES.find((name) => name === target);
  return preference === undefined ? { model: String(target) } : { preference };
}

/** The task classes that a name means: itself, or with a star all that begin so. */
export function taskClassesOf(pattern: string): readonly string[] {
  const [start = "", ...rest] = pattern.split("*");
  return Object.keys(TASK_CLASSES).filter((name) =>
    rest.length === 0 ? name === pattern : name.startsWith(start) && name.endsWith(rest.join("*")),
  );
}

const labelsOf = (
  labels:
    | Readonly<
        Record<
          string,
          { preference?: LabelRule["preference"] | undefined; minQuality?: number | undefined }
        >
      >
    | undefined,
): ReadonlyMap<string, LabelRule> =>
  new Map(
    Object.entries(labels ?? {}).map(([name, { preference, minQuality }]) => [
      name.toLowerCase(),
      {
        ...(preference !== undefined && { preference }),
        ...(minQuality !== undefined && { minQuality }),
      },
    ]),
  );

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function windowOf({ from, to, days, timeZone, ...rules }: Window): TimeWindow {
  return {
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
    days: new Set((days ?? DAYS).map((day) => DAYS.indexOf(day))),
    timeZone: timeZone ?? "UTC",
    rules: rulesOf(rules),
  };
}

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
