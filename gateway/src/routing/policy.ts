import type { Preference } from "#routing/preferences.ts";

/** A model of a weighted group. */
export interface GroupMember {
  /** A model's name, `provider/model` included. */
  readonly model: string;
  /** Its share is this by the sum of the group. */
  readonly weight: number;
}

/** What a task class leads to: a model, or another lean of the choice. */
export type TaskRule = { readonly model: string } | { readonly preference: Preference };

/** What a user level or a business goal asks of `auto`. */
export interface LabelRule {
  readonly preference?: Preference;
  readonly minQuality?: number;
}

/** The rules that a time window may replace. */
export interface RoutingRules {
  readonly preference: Preference;
  /** Least predicted quality that `auto` accepts, 0 to 1. */
  readonly minQuality?: number;
  /** Endpoints that are kept away from come last instead of never. */
  readonly tryAnyway: boolean;
  /** By model in lower case, or `*`: what is tried after the asked model's own endpoints. */
  readonly fallbacks: ReadonlyMap<string, readonly string[]>;
  readonly onContextLength: readonly string[];
  readonly onContentPolicy: readonly string[];
  readonly onRegionFailure: readonly string[];
  /** By name in lower case. */
  readonly groups: ReadonlyMap<string, readonly GroupMember[]>;
  /** By model in lower case: a share of its conversations goes to another model. */
  readonly canaries: ReadonlyMap<string, { readonly to: string; readonly percent: number }>;
  /** By task class. */
  readonly tasks: ReadonlyMap<string, TaskRule>;
  readonly auto: {
    /** Globs of model ids in lower case; none: all. */
    readonly allow: readonly string[];
    readonly deny: readonly string[];
    /** None: all. */
    readonly providers: readonly string[];
  };
}

/** A time of the week with rules of its own. */
export interface TimeWindow {
  /** Minutes of the day; `to` before `from`: past midnight. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** 0 is Sunday; the day on which the window begins. */
  readonly days: ReadonlySet<number>;
  /** IANA name. */
  readonly timeZone: string;
  readonly rules: Partial<RoutingRules>;
}

/** How the operator wants requests to be routed: the `routing` section of `turnpike.yaml`. */
export interface RoutingPolicy extends RoutingRules {
  /** The model that reports compare costs with where the caller had named one. */
  readonly baseline?: string;
  /** Of several that apply, later ones win. */
  readonly windows: readonly TimeWindow[];
  /** How long a conversation stays at its endpoint for the prompt cache; absent: it does not. */
  readonly stickyMs?: number;
  readonly labels: {
    readonly userLevel: ReadonlyMap<string, LabelRule>;
    readonly businessGoal: ReadonlyMap<string, LabelRule>;
  };
  /** Percent of requests with a named model for which `auto` decides too, only to report. */
  readonly shadowPercent: number;
  /** Whether `auto` learns from answers, and whether it may try other models to learn more. */
  readonly learning: { readonly enabled: boolean; readonly explore: boolean };
  /** A second attempt beside a slow first one, for at most so many percent of requests. */
  readonly hedge?: { readonly percent: number; readonly afterMs?: number };
  /** Whether `x-turnpike-fault` may rehearse an outage. */
  readonly allowFaultHeader: boolean;
  /** Health parameters that differ from the defaults, by name. */
  readonly health: Readonly<Record<string, number>>;
}

/** Ten minutes: as long as the providers keep a prompt cache that is used. */
const STICKY_MS = 600_000;

/** Without a `routing` section. */
export const DEFAULT_POLICY: RoutingPolicy = {
  preference: "balanced",
  tryAnyway: false,
  fallbacks: new Map(),
  onContextLength: [],
  onContentPolicy: [],
  onRegionFailure: [],
  groups: new Map(),
  canaries: new Map(),
  tasks: new Map(),
  auto: { allow: [], deny: [], providers: [] },
  windows: [],
  stickyMs: STICKY_MS,
  labels: { userLevel: new Map(), businessGoal: new Map() },
  shadowPercent: 0,
  learning: { enabled: true, explore: true },
  allowFaultHeader: false,
  health: {},
};
