import { ownValue } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  stop_sequence: "stop-sequence",
  tool_use: "tool-calls",
  pause_turn: "pause",
  refusal: "refusal",
};

export const parseFinishReason = (reason: string): FinishReason =>
  ownValue(REASONS, reason) ?? "other";

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "stop-sequence": "stop_sequence",
  "content-filter": "refusal",
  refusal: "refusal",
  pause: "pause_turn",
  error: "end_turn",
  other: "end_turn",
};

export const renderStopReason = (reason: FinishReason): string => STOP_REASONS[reason];
