import { ownValue } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { FailureCode } from "#canonical/failure.ts";

const REASONS: Readonly<Record<string, FinishReason>> = {
  COMPLETE: "stop",
  STOP_SEQUENCE: "stop-sequence",
  MAX_TOKENS: "length",
  TOOL_CALL: "tool-calls",
};

/** Reasons that are no end but a failure of the provider. */
const FAILED: Readonly<Record<string, FailureCode>> = {
  ERROR: "upstream_error",
  TIMEOUT: "upstream_timeout",
};

export const parseFinishReason = (reason: string | undefined): FinishReason =>
  (reason === undefined ? undefined : ownValue(REASONS, reason)) ?? "other";

export const failedFinish = (reason: string | undefined): FailureCode | undefined =>
  reason === undefined ? undefined : ownValue(FAILED, reason);
