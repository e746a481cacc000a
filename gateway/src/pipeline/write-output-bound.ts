import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import { asNumber, asObject, isObject, type JsonObject } from "#lib/json.ts";
import type { Call } from "#pipeline/call.ts";
import type { Dialect } from "#protocols/codec.ts";
import type { Route } from "#routing/route.ts";

type Patch = Record<string, string | undefined>;

/** The output bound that a route is sent; `undefined`: the client's own, as it is. */
export function outputBoundFor({ outputBound }: Call, { endpoint }: Route): number | undefined {
  if (outputBound === undefined) return undefined;
  return Math.min(outputBound, endpoint.maxOutputTokens ?? outputBound);
}

/** The request with the bound, for routes of other protocols; their renderers fit thinking into it. */
export const withOutputBound = (request: ChatRequest, bound: number): ChatRequest =>
  request.maxOutputTokens === bound ? request : { ...request, maxOutputTokens: bound };

interface Bounded {
  readonly protocol: ClientProtocol;
  readonly dialect: Dialect;
  readonly bound: number;
}

/** What changes at the top of a client's own body so that its output is bounded. */
export function outputBoundPatch(body: JsonObject, { protocol, dialect, bound }: Bounded): Patch {
  switch (protocol) {
    case "openai-chat":
      return chatPatch(body, dialect, bound);
    case "openai-completions":
      return { max_tokens: String(bound) };
    case "openai-responses":
      return { max_output_tokens: String(bound) };
    case "anthropic-messages":
      return { max_tokens: String(bound), ...thinkingPatch(body, bound) };
    case "gemini":
      return geminiPatch(body, bound);
  }
}

function chatPatch(
  body: JsonObject,
  { maxTokensField = "max_tokens" }: Dialect,
  bound: number,
): Patch {
  const other = maxTokensField === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  return {
    [maxTokensField]: String(bound),
    ...(other in body && { [other]: undefined }),
  };
}

/** Anthropic refuses budgets below this, and such as are not below `max_tokens`. */
const LEAST_THINKING = 1_024;
/** What is left for the answer itself. */
const LEAST_ANSWER = 256;

function thinkingPatch(body: JsonObject, bound: number): Patch {
  const thinking = asObject(body["thinking"]);
  const budget = asNumber(thinking["budget_tokens"]);
  if (thinking["type"] !== "enabled" || budget === undefined || budget < bound) return {};
  const fits = bound - LEAST_ANSWER;
  const smaller =
    fits < LEAST_THINKING ? { type: "disabled" } : { ...thinking, budget_tokens: fits };
  return { thinking: JSON.stringify(smaller) };
}

function geminiPatch(body: JsonObject, bound: number): Patch {
  const name = isObject(body["generation_config"]) ? "generation_config" : "generationConfig";
  const { max_output_tokens: _snake, ...config } = asObject(body[name]);
  const thinkingName = isObject(config["thinking_config"]) ? "thinking_config" : "thinkingConfig";
  const thinking = asObject(config[thinkingName]);
  const budgetName = "thinking_budget" in thinking ? "thinking_budget" : "thinkingBudget";
  const budget = asNumber(thinking[budgetName]);
  const fitted =
    budget === undefined || budget < bound
      ? {}
      : { [thinkingName]: { ...thinking, [budgetName]: Math.max(0, bound - LEAST_ANSWER) } };
  return { [name]: JSON.stringify({ ...config, ...fitted, maxOutputTokens: bound }) };
}
