import { asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, ReasoningEffort, ReasoningOptions } from "#canonical/chat-request.ts";
import type { RenderTarget } from "#protocols/codec.ts";

/** The request's `reasoning` member; a budget in tokens becomes the nearest effort. */
export function renderReasoningOptions(
  request: ChatRequest,
  { reportLoss }: RenderTarget,
): JsonObject | undefined {
  const { reasoning = {}, protocol, extra } = request;
  const { budgetTokens, summary } = reasoning;
  const rest = protocol === "openai-responses" ? asObject(extra?.["reasoning"]) : {};
  const effort = reasoning.effort ?? impliedEffort(reasoning);
  if (budgetTokens !== undefined) {
    reportLoss("thinking.budget_tokens", `changed to an effort: ${effort ?? "the default"}`);
  }
  const options = compact({
    ...rest,
    ...compact({ effort, summary: summary === "none" ? undefined : summary }),
  });
  return Object.keys(options).length === 0 ? undefined : options;
}

/** Thinking that is switched off is the effort `none`; a budget in tokens is the nearest effort. */
function impliedEffort({ enabled, budgetTokens }: ReasoningOptions): ReasoningEffort | undefined {
  if (enabled === false) return "none";
  return budgetTokens === undefined ? undefined : effortOf(budgetTokens);
}

function effortOf(budgetTokens: number): ReasoningEffort {
  if (budgetTokens <= 0) return "none";
  if (budgetTokens <= 2048) return "low";
  return budgetTokens <= 12_288 ? "medium" : "high";
}
