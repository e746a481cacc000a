import { ownValue } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";

/** `eos`: Together; `tool_call`: DeepSeek on Azure; `function_call`: before tools; `model_length`: Mistral. */
const PARSED: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  end_turn: "stop",
  length: "length",
  model_length: "length",
  max_tokens: "length",
  tool_calls: "tool-calls",
  tool_call: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  sensitive: "content-filter",
  refusal: "refusal",
  error: "error",
  network_error: "error",
};

/** `undefined` when the wire says nothing yet (absent, null, empty). */
export function parseFinishReason(value: unknown): FinishReason | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return ownValue(PARSED, value) ?? "other";
}

/**
 * The reason with what the answer holds: with a forced tool OpenAI says `stop`, and others leave
 * the reason out although there are tool calls.
 */
export function settledFinishReason(
  reason: FinishReason | undefined,
  hasToolCalls: boolean,
): FinishReason {
  if (reason === undefined || reason === "stop" || reason === "other") {
    return hasToolCalls ? "tool-calls" : (reason ?? "stop");
  }
  return reason;
}

const RENDERED: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "stop-sequence": "stop",
  "content-filter": "content_filter",
  refusal: "content_filter",
  pause: "stop",
  error: "error",
  other: "stop",
};

export const renderFinishReason = (reason: FinishReason): string => RENDERED[reason];
