import type { ReasoningEffort, ReasoningOptions } from "#canonical/chat-request.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { FieldReader } from "#canonical/field-reader.ts";
import { asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget } from "#protocols/codec.ts";

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** The body members that say how much to think; providers have five spellings for it. */
export const REASONING_FIELDS = [
  "reasoning_effort",
  "reasoning",
  "thinking",
  "enable_thinking",
  "thinking_budget",
  "include_reasoning",
] as const;

function parseEffort(value: string | undefined, field: string): ReasoningEffort | undefined {
  if (value === undefined) return undefined;
  const effort = EFFORTS.find((known) => known === value);
  if (effort !== undefined) return effort;
  throw invalidRequest(field, `${field} "${value}" is unknown: use ${EFFORTS.join(", ")}`);
}

/** Reads whichever spelling the client used. */
export function parseReasoning(body: FieldReader): ReasoningOptions | undefined {
  const reasoning = body.nested("reasoning");
  const thinking = body.nested("thinking");
  const effort = readEffort(body, reasoning);
  const budgetTokens =
    reasoning?.count("max_tokens") ??
    thinking?.count("budget_tokens") ??
    body.count("thinking_budget");
  const enabled =
    reasoning?.boolean("enabled") ??
    thinkingEnabled(thinking?.string("type")) ??
    body.boolean("enable_thinking");
  const summary = isHidden(body) ? "none" : undefined;
  const options = compact({ effort, budgetTokens, enabled, summary });
  return Object.keys(options).length === 0 ? undefined : options;
}

const readEffort = (
  body: FieldReader,
  reasoning: FieldReader | undefined,
): ReasoningEffort | undefined =>
  parseEffort(body.string("reasoning_effort"), "reasoning_effort") ??
  parseEffort(reasoning?.string("effort"), "reasoning.effort");

const isHidden = ({ object }: FieldReader): boolean =>
  asObject(object["reasoning"])["exclude"] === true || object["include_reasoning"] === false;

function thinkingEnabled(type: string | undefined): boolean | undefined {
  if (type === undefined) return undefined;
  return type !== "disabled";
}

/** Whether the options say "do not think". */
const isOff = ({ effort, enabled }: ReasoningOptions): boolean =>
  effort === "none" || (effort === undefined && enabled === false);

/** The request members that ask for this much thinking in the target's spelling. */
export function renderReasoning(options: ReasoningOptions, target: RenderTarget): JsonObject {
  if (options.summary !== undefined && options.summary !== "none") {
    target.reportLoss("reasoning.summary", "this provider cannot be asked for a summary");
  }
  if (options.encrypted === true && target.dialect.reasoningRequest !== "reasoning") {
    target.reportLoss("reasoning.encrypted_content", "this provider gives no reasoning items");
  }
  const style = target.dialect.reasoningRequest ?? "reasoning_effort";
  return STYLES[style](options, target);
}

type Style = (options: ReasoningOptions, target: RenderTarget) => JsonObject;

const STYLES: Readonly<Record<NonNullable<RenderTarget["dialect"]["reasoningRequest"]>, Style>> = {
  reasoning_effort: renderEffort,
  thinking: renderThinking,
  reasoning: ({ effort, budgetTokens, enabled, summary }) => ({
    reasoning: compact({
      effort,
      max_tokens: budgetTokens,
      enabled,
      exclude: summary === "none" ? true : undefined,
    }),
  }),
  enable_thinking: renderEnableThinking,
  none: (_options, target) => {
    target.reportLoss("reasoning", "this provider's thinking cannot be set");
    return {};
  },
};

function renderEffort(options: ReasoningOptions, target: RenderTarget): JsonObject {
  if (isOff(options)) return { reasoning_effort: "none" };
  const { effort, budgetTokens } = options;
  if (effort === "max") {
    target.reportLoss("reasoning.effort", "changed: max is sent as xhigh, the most there is here");
    return { reasoning_effort: "xhigh" };
  }
  if (budgetTokens === undefined) return effort === undefined ? {} : { reasoning_effort: effort };
  const nearest = effort ?? effortOfBudget(budgetTokens);
  target.reportLoss(
    "reasoning.max_tokens",
    `changed: this provider has no token budget; sent as effort ${nearest}`,
  );
  return { reasoning_effort: nearest };
}

function effortOfBudget(tokens: number): ReasoningEffort {
  if (tokens <= 2048) return "low";
  return tokens <= 8192 ? "medium" : "high";
}

function renderThinking(options: ReasoningOptions, target: RenderTarget): JsonObject {
  if (isOff(options)) return { thinking: { type: "disabled" } };
  const { effort, budgetTokens } = options;
  if (effort !== undefined) {
    target.reportLoss("reasoning.effort", "changed: this provider only turns thinking on or off");
  }
  if (budgetTokens !== undefined) {
    target.reportLoss("reasoning.max_tokens", "this provider has no token budget for thinking");
  }
  return { thinking: { type: "enabled" } };
}

function renderEnableThinking(options: ReasoningOptions, target: RenderTarget): JsonObject {
  if (isOff(options)) return { enable_thinking: false };
  if (options.effort !== undefined) {
    target.reportLoss("reasoning.effort", "changed: this provider only turns thinking on or off");
  }
  const { effort, budgetTokens, enabled } = options;
  const asked = effort !== undefined || budgetTokens !== undefined || enabled === true;
  return compact({ enable_thinking: asked ? true : undefined, thinking_budget: budgetTokens });
}
