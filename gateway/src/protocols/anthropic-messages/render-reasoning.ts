import { ownValue } from "#lib/json.ts";
import type { ChatRequest, ReasoningOptions } from "#canonical/chat-request.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import type { ModelAbilities } from "#canonical/claude-model.ts";

export interface RenderedReasoning {
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

export interface ReasoningTarget {
  readonly abilities: ModelAbilities;
  readonly maxTokens: number;
  readonly reportLoss: ReportLoss;
}

/** The provider's lower bound of a thinking budget. */
const MIN_BUDGET = 1024;

/** Share of the output bound that may be thought, where effort has to be said as a budget. */
const BUDGET_SHARE: Readonly<Record<string, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
  max: 0.95,
};

/** `thinking` and `output_config.effort` in the form that this model takes. */
export function renderReasoning(request: ChatRequest, target: ReasoningTarget): RenderedReasoning {
  const { reasoning, protocol } = request;
  if (reasoning === undefined) return {};
  const isOwn = protocol === "anthropic-messages";
  if (isOwn && takesAsWritten(reasoning, target.abilities)) return renderAsWritten(reasoning);
  if (reasoning.enabled === false || reasoning.effort === "none") {
    return { thinking: { type: "disabled" } };
  }
  // In this dialect effort alone steers the answer's length and does not turn thinking on.
  if (isOwn && reasoning.enabled === undefined) return effortAlone(reasoning, target);
  if (!asksToThink(reasoning)) return {};
  const { adaptive, budget } = target.abilities;
  if (adaptive) return renderAdaptive(reasoning, target);
  if (budget) return renderBudget(reasoning, target);
  target.reportLoss("reasoning", "this model does not think");
  return {};
}

/** Routing may have chosen another model than the one for which the client wrote this. */
function takesAsWritten(reasoning: ReasoningOptions, abilities: ModelAbilities): boolean {
  if (!abilities.known) return true;
  const { enabled, budgetTokens, effort } = reasoning;
  if (effort !== undefined && !abilities.efforts.includes(effort)) return false;
  if (enabled !== true) return true;
  return budgetTokens === undefined ? abilities.adaptive : abilities.budget;
}

function effortAlone(reasoning: ReasoningOptions, target: ReasoningTarget): RenderedReasoning {
  const effort = effortOf(reasoning, target);
  if (effort !== undefined) return { effort };
  target.reportLoss("output_config.effort", "this model takes no effort");
  return {};
}

const asksToThink = ({ enabled, effort, budgetTokens }: ReasoningOptions): boolean =>
  enabled === true || effort !== undefined || budgetTokens !== undefined;

/** The client speaks this protocol and chose a form that the model takes. */
function renderAsWritten(reasoning: ReasoningOptions): RenderedReasoning {
  const { enabled, budgetTokens, effort } = reasoning;
  const display = displayOf(reasoning, "summarized");
  const shown = display === undefined ? {} : { display };
  const kept = effort === undefined ? {} : { effort };
  if (enabled === undefined) return kept;
  if (!enabled) return { thinking: { type: "disabled" }, ...kept };
  if (budgetTokens === undefined) return { thinking: { type: "adaptive", ...shown }, ...kept };
  return { thinking: { type: "enabled", budget_tokens: budgetTokens, ...shown }, ...kept };
}

function displayOf({ summary }: ReasoningOptions, shown: string): string | undefined {
  if (summary === undefined) return undefined;
  return summary === "none" ? "omitted" : shown;
}

function renderAdaptive(reasoning: ReasoningOptions, target: ReasoningTarget): RenderedReasoning {
  const { budgetTokens } = reasoning;
  if (budgetTokens !== undefined) {
    target.reportLoss("reasoning.budget", "changed: this model decides how much it thinks");
  }
  const display = displayOf(reasoning, "summarized");
  const effort = effortOf(reasoning, target);
  return {
    thinking: { type: "adaptive", ...(display !== undefined && { display }) },
    ...(effort !== undefined && { effort }),
  };
}

/** The nearest effort that the model knows. */
function effortOf({ effort }: ReasoningOptions, target: ReasoningTarget): string | undefined {
  const { efforts } = target.abilities;
  if (effort === undefined || efforts.length === 0) return undefined;
  if (efforts.includes(effort)) return effort;
  const nearest = effort === "minimal" ? "low" : "high";
  target.reportLoss("reasoning.effort", `changed: ${effort} is sent as ${nearest}`);
  return nearest;
}

function renderBudget(reasoning: ReasoningOptions, target: ReasoningTarget): RenderedReasoning {
  const { maxTokens, reportLoss } = target;
  const effort = effortOf(reasoning, target);
  const wanted =
    reasoning.budgetTokens ??
    Math.floor(maxTokens * (ownValue(BUDGET_SHARE, reasoning.effort ?? "medium") ?? 0.5));
  const budget = Math.min(Math.max(wanted, MIN_BUDGET), maxTokens - 1);
  if (budget < MIN_BUDGET) {
    reportLoss("reasoning", `an output bound of ${maxTokens} tokens leaves no room to think`);
    return effort === undefined ? {} : { effort };
  }
  if (budget !== reasoning.budgetTokens) {
    reportLoss("reasoning", `changed: sent as a thinking budget of ${budget} tokens`);
  }
  return {
    thinking: { type: "enabled", budget_tokens: budget },
    ...(effort !== undefined && { effort }),
  };
}
