import { ownValue } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  stop_sequence: "stop-sequence",
  guardrail_intervened: "content-filter",
  content_filtered: "content-filter",
  malformed_model_output: "error",
  malformed_tool_use: "error",
};

export const parseFinishReason = (reason: unknown): FinishReason =>
  (typeof reason === "string" ? ownValue(REASONS, reason) : undefined) ?? "other";
