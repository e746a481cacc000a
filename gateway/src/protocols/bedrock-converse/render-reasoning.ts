import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, ReasoningEffort, ReasoningOptions } from "#canonical/chat-request.ts";
import { modelAbilities } from "#canonical/claude-model.ts";
import type { RenderTarget } from "#protocols/codec.ts";
import { isClaude } from "./signature-origin.ts";

/** How much to think: members of `additionalModelRequestFields`, and `outputConfig.effort`. */
export interface RenderedReasoning {
  readonly fields?: JsonObject;
  readonly effort?: string;
}

const MIN_BUDGET = 1024;

/** Thinking budgets in tokens that stand for an effort where a model knows budgets only. */
const BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_000,
};

/** Converse has no word for thinking: each family of models has its own field beside it. */
export function renderReasoning(request: ChatRequest, target: RenderTarget): RenderedReasoning {
  const { upstreamModel: model, reportLoss } = target;
  const { effort, budgetTokens, enabled } = request.reasoning ?? {};
  const isOff = enabled === false || effort === "none";
  if ([effort, budgetTokens, enabled].every((member) => member === undefined)) return {};
  if (isClaude(model)) {
    return isOff ? { fields: { thinking: { type: "disabled" } } } : claude(request, target);
  }
  if (model.includes("nova-2")) return { fields: { reasoningConfig: nova(isOff, effort) } };
  if (model.includes("gpt-oss") && !isOff)
    return { fields: { reasoning_effort: effort ?? "medium" } };
  if (!isOff) reportLoss("reasoning", "this model's thinking cannot be steered");
  return {};
}

function nova(isOff: boolean, effort: ReasoningEffort | undefined): JsonObject {
  if (isOff) return { type: "disabled" };
  const level = effort === "low" || effort === "minimal" ? "low" : "medium";
  const isHigh = effort === "high" || effort === "xhigh" || effort === "max";
  return { type: "enabled", maxReasoningEffort: isHigh ? "high" : level };
}

const FORCING: ReadonlySet<string | undefined> = new Set(["required", "tool"]);

function adaptive(
  { effort, budgetTokens }: ReasoningOptions,
  { reportLoss }: RenderTarget,
): RenderedReasoning {
  if (budgetTokens !== undefined) {
    reportLoss("thinking.budget_tokens", "changed: this model decides how much it thinks");
  }
  const level = effort === "minimal" ? "low" : effort;
  return {
    fields: { thinking: { type: "adaptive" } },
    ...(level !== undefined && { effort: level }),
  };
}

function claude(
  { reasoning = {}, maxOutputTokens, toolChoice }: ChatRequest,
  target: RenderTarget,
): RenderedReasoning {
  const { upstreamModel, reportLoss } = target;
  const { effort, budgetTokens } = reasoning;
  if (FORCING.has(toolChoice?.type)) {
    reportLoss("reasoning", "thinking and a forced tool call exclude each other");
    return {};
  }
  if (modelAbilities(upstreamModel).adaptive) return adaptive(reasoning, target);
  const wanted = Math.max(MIN_BUDGET, budgetTokens ?? BUDGETS[effort ?? "medium"]);
  const bound = maxOutputTokens ?? target.maxOutputTokens ?? wanted + 1;
  const budget = Math.min(wanted, bound - 1);
  if (budget < MIN_BUDGET) {
    reportLoss("reasoning", `an output bound of ${bound} tokens leaves no room to think`);
    return {};
  }
  if (budget !== budgetTokens) {
    reportLoss("reasoning", `changed: sent as a thinking budget of ${budget} tokens`);
  }
  return { fields: { thinking: { type: "enabled", budget_tokens: budget } } };
}
