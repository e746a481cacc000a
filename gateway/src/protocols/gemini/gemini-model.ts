/** What a model takes, as far as its name tells. */
export interface ModelAbilities {
  /** How thinking is steered: a level (Gemini 3), a budget (2.5), or not at all. */
  readonly thinking: "level" | "budget" | "none";
  /** Levels that it knows, least first. */
  readonly levels: readonly string[];
  /** Lowest budget; above 0 where thinking cannot be turned off. */
  readonly minBudget: number;
  /** Calls without a thought signature are answered with 400. */
  readonly needsSignatures: boolean;
  /** Images and files inside a function's result. */
  readonly mediaInResults: boolean;
  /** Functions beside the provider's own tools, or beside a schema of the answer. */
  readonly mixesTools: boolean;
}

/** From ai.google.dev "Gemini thinking", "Thought signatures" and "Function calling" (2026-10). */
export function modelAbilities(model: string): ModelAbilities {
  const version = geminiVersion(model);
  const isPro = model.includes("pro");
  const modern = version >= 3;
  return {
    thinking: thinkingOf(version),
    levels: isPro ? proLevels(version) : ["minimal", "low", "medium", "high"],
    minBudget: isPro ? 128 : 0,
    needsSignatures: modern,
    mediaInResults: modern,
    mixesTools: modern,
  };
}

function thinkingOf(version: number): ModelAbilities["thinking"] {
  if (version >= 3) return "level";
  return version >= 2.5 ? "budget" : "none";
}

const proLevels = (version: number): readonly string[] =>
  version > 3 ? ["low", "medium", "high"] : ["low", "high"];

/** `gemini-2.5-flash`, `gemini-3-pro-preview`; the `-latest` names follow the newest. */
function geminiVersion(model: string): number {
  const match = /gemini-(\d+(?:\.\d+)?)/.exec(model);
  if (match !== null) return Number(match[1]);
  return /gemini-(?:pro|flash|flash-lite)-latest/.test(model) ? 3.1 : 0;
}
