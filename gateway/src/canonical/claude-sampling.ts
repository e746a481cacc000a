import type { Sampling } from "#canonical/chat-request.ts";
import type { ModelAbilities } from "#canonical/claude-model.ts";

interface ClaudeTarget {
  readonly abilities: ModelAbilities;
  readonly thinking: boolean;
  readonly reportLoss: (field: string, reason: string) => void;
}

type ClaudeSampling = Pick<Sampling, "temperature" | "topP" | "topK">;

const FIELDS = { temperature: "temperature", topP: "top_p", topK: "top_k" } as const;

/** The sampling members that a Claude model takes, on any service: it answers 400 to the others. */
export function claudeSampling(sampling: Sampling, target: ClaudeTarget): ClaudeSampling {
  const kept: { -readonly [Name in keyof ClaudeSampling]: number } = {};
  for (const name of ["temperature", "topP", "topK"] as const) {
    const value = sampling[name];
    if (value === undefined) continue;
    const reason = refusal(name, value, { ...target, kept });
    if (reason === undefined) kept[name] = bounded(name, value, target);
    else target.reportLoss(FIELDS[name], reason);
  }
  return kept;
}

interface Kept extends ClaudeTarget {
  readonly kept: ClaudeSampling;
}

/** Why the provider would answer 400 to this value. */
function refusal(name: keyof ClaudeSampling, value: number, target: Kept): string | undefined {
  const { abilities, thinking, kept } = target;
  if (abilities.sampling === "none") return "this model takes no sampling parameters";
  if (thinking && !fitsThinking(name, value)) return "excluded while the model thinks";
  if (name === "topP" && abilities.sampling === "one" && kept.temperature !== undefined) {
    return "this model takes either temperature or top_p";
  }
  return undefined;
}

function fitsThinking(name: keyof ClaudeSampling, value: number): boolean {
  if (name === "temperature") return value === 1;
  return name === "topP" && value >= 0.95;
}

/** OpenAI's temperature goes to 2, Claude's to 1. */
function bounded(name: keyof ClaudeSampling, value: number, { reportLoss }: ClaudeTarget): number {
  if (name !== "temperature" || value <= 1) return value;
  reportLoss("temperature", `changed: ${value} is sent as 1, the highest value`);
  return 1;
}
