import type { ChatRequest, ReasoningOptions } from "#canonical/chat-request.ts";
import { compact, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import type { ModelAbilities } from "./gemini-model.ts";

interface ReasoningTarget {
  readonly abilities: ModelAbilities;
  readonly reportLoss: ReportLoss;
}

/** `thinkingConfig` in the form that this model takes; `undefined` where nothing is asked for. */
export function renderThinking(
  request: ChatRequest,
  target: ReasoningTarget,
): JsonObject | undefined {
  const { reasoning, protocol } = request;
  if (reasoning === undefined) return undefined;
  const config = compact({
    ...(protocol === "gemini" ? asWritten(reasoning) : steered(reasoning, target)),
    includeThoughts: includeThoughts(request, target),
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

/** The client speaks this protocol: it chose the form for the model. */
function asWritten({ enabled, budgetTokens, effort }: ReasoningOptions): JsonObject {
  const dynamic = enabled === true ? -1 : undefined;
  return {
    thinkingBudget: enabled === false ? 0 : (budgetTokens ?? dynamic),
    thinkingLevel: effort,
  };
}

function includeThoughts(
  { reasoning, protocol }: ChatRequest,
  { abilities }: ReasoningTarget,
): boolean | undefined {
  if (abilities.thinking === "none" && protocol !== "gemini") return undefined;
  if (reasoning?.summary !== undefined) return reasoning.summary !== "none";
  // Who turns thinking on in Anthropic's dialect is shown it, unless told otherwise.
  return protocol === "anthropic-messages" && reasoning?.enabled === true ? true : undefined;
}

function steered(reasoning: ReasoningOptions, target: ReasoningTarget): JsonObject {
  const { thinking } = target.abilities;
  if (thinking === "level") return levelOf(reasoning, target);
  if (thinking === "budget") return budgetOf(reasoning, target);
  target.reportLoss("reasoning", "this model does not think");
  return {};
}

function levelOf(
  reasoning: ReasoningOptions,
  { abilities, reportLoss }: ReasoningTarget,
): JsonObject {
  const { enabled, budgetTokens } = reasoning;
  const effort = enabled === false ? "none" : reasoning.effort;
  if (effort === undefined) return { thinkingBudget: budgetTokens };
  if (abilities.levels.includes(effort)) return { thinkingLevel: effort };
  const isLow = effort === "none" || effort === "minimal";
  const level = isLow ? abilities.levels[0] : "high";
  reportLoss("reasoning", `changed: ${effort} is sent as ${level}`);
  return { thinkingLevel: level };
}

/** Google's own translation of effort to budgets (ai.google.dev/gemini-api/docs/openai). */
const BUDGETS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

function budgetOf(
  reasoning: ReasoningOptions,
  { abilities, reportLoss }: ReasoningTarget,
): JsonObject {
  const { enabled, budgetTokens, effort } = reasoning;
  const named = enabled === false ? 0 : ownValue(BUDGETS, effort ?? "");
  const wanted = budgetTokens ?? named ?? (enabled === true ? -1 : undefined);
  if (wanted === undefined) return {};
  const thinkingBudget = wanted < 0 ? wanted : Math.max(wanted, abilities.minBudget);
  if (thinkingBudget !== budgetTokens && thinkingBudget > 0) {
    reportLoss("reasoning", `changed: sent as a thinking budget of ${thinkingBudget} tokens`);
  }
  return { thinkingBudget };
}
