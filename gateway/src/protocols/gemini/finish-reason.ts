import { ownValue } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";

const REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content-filter",
  RECITATION: "content-filter",
  BLOCKLIST: "content-filter",
  PROHIBITED_CONTENT: "content-filter",
  SPII: "content-filter",
  MODEL_ARMOR: "content-filter",
  IMAGE_SAFETY: "content-filter",
  IMAGE_PROHIBITED_CONTENT: "content-filter",
  IMAGE_RECITATION: "content-filter",
  MALFORMED_FUNCTION_CALL: "error",
  MALFORMED_RESPONSE: "error",
  MISSING_THOUGHT_SIGNATURE: "error",
  TOO_MANY_TOOL_CALLS: "error",
};

/** Values of the enum by number: `$alt=json;enum-encoding=int` answers with them. */
const BY_NUMBER: readonly string[] = [
  "FINISH_REASON_UNSPECIFIED",
  "STOP",
  "MAX_TOKENS",
  "SAFETY",
  "RECITATION",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MALFORMED_FUNCTION_CALL",
];

/**
 * Reads a `finishReason`; `undefined` while there is none. It is STOP with function calls too, and
 * UNEXPECTED_TOOL_CALL where there is one that can be made: only the parts tell.
 */
export function parseFinishReason(value: unknown, hasCalls: boolean): FinishReason | undefined {
  const name = typeof value === "number" ? BY_NUMBER[value] : value;
  if (typeof name !== "string") return undefined;
  if (name === "" || name === "FINISH_REASON_UNSPECIFIED") return undefined;
  if (hasCalls && (name === "STOP" || name === "UNEXPECTED_TOOL_CALL")) return "tool-calls";
  return ownValue(REASONS, name) ?? "other";
}

const NAMES: Readonly<Record<FinishReason, string>> = {
  stop: "STOP",
  length: "MAX_TOKENS",
  "tool-calls": "STOP",
  "stop-sequence": "STOP",
  "content-filter": "SAFETY",
  refusal: "SAFETY",
  pause: "STOP",
  error: "OTHER",
  other: "OTHER",
};

export const renderFinishReason = (reason: FinishReason): string => NAMES[reason];
