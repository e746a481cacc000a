/** What a model takes, as far as its name tells. */
export interface ModelAbilities {
  /** Whether the name tells anything. */
  readonly known: boolean;
  /** `thinking: {type: "enabled", budget_tokens}`. */
  readonly budget: boolean;
  /** `thinking: {type: "adaptive"}`. */
  readonly adaptive: boolean;
  /** Values of `output_config.effort`; none where it is refused. */
  readonly efforts: readonly string[];
  /** `temperature`, `top_p` and `top_k`; `one`: not both of the first two. */
  readonly sampling: "all" | "one" | "none";
  /** `output_config.format`. */
  readonly outputFormat: boolean;
}

/** Not Claude, or a name that tells nothing: compatible providers follow the older form. */
const UNKNOWN: ModelAbilities = {
  known: false,
  budget: true,
  adaptive: false,
  efforts: [],
  sampling: "all",
  outputFormat: true,
};

/**
 * Claude's abilities by version, from platform.claude.com "Extended thinking", "Adaptive thinking",
 * "Effort" and "Structured outputs" (2026-10): a model answers 400 to what came after it, and those
 * from 4.7 on to thinking budgets and sampling parameters too.
 */
export function modelAbilities(model: string): ModelAbilities {
  const version = claudeVersion(model);
  if (version === undefined) return UNKNOWN;
  const effort = version >= 4.6 || /opus-?4[.-]5|4[.-]5-opus/.test(model);
  return {
    known: true,
    budget: version >= 3.7 && version < 4.7,
    adaptive: version >= 4.6,
    efforts: effort ? EFFORTS.slice(0, effortCount(version)) : [],
    sampling: samplingOf(version),
    outputFormat: version >= 4.5 || /opus-?4[.-]1|4[.-]1-opus/.test(model),
  };
}

const EFFORTS: readonly string[] = ["low", "medium", "high", "max", "xhigh"];

function effortCount(version: number): number {
  if (version >= 4.7) return 5;
  return version >= 4.6 ? 4 : 3;
}

function samplingOf(version: number): ModelAbilities["sampling"] {
  if (version >= 4.7) return "none";
  return version >= 4.1 ? "one" : "all";
}

/** `claude-sonnet-4-5-20250929`, `claude-3-7-sonnet@…`, `us.anthropic.claude-opus-4-6-v1:0`, `claude-4.5-haiku`. */
function claudeVersion(model: string): number | undefined {
  const match = /claude-(?:[a-z]+-?)??(\d)(?:[.-](\d{1,2})(?!\d))?/.exec(model);
  return match === null ? undefined : Number(`${match[1]}.${match[2] ?? 0}`);
}
