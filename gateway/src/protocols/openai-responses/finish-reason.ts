import { asObject, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { FinishReason } from "#canonical/chat-response.ts";

/** Why the answer ended; calls are not told apart by the wire, so `hasCalls` says it. */
export function parseFinishReason(response: JsonObject, hasCalls: boolean): FinishReason {
  if (response["status"] !== "incomplete") {
    if (hasCalls) return "tool-calls";
    return response["status"] === undefined || response["status"] === "completed"
      ? "stop"
      : "other";
  }
  const reason = asString(asObject(response["incomplete_details"])["reason"]);
  if (reason === "max_output_tokens") return "length";
  return reason === "content_filter" ? "content-filter" : "other";
}

/** How a response that ends for this reason says so. */
export interface Outcome {
  readonly status: "completed" | "incomplete";
  /** `incomplete_details.reason`. */
  readonly reason?: "max_output_tokens" | "content_filter";
}

export function renderFinishReason(reason: FinishReason): Outcome {
  if (reason === "length") return { status: "incomplete", reason: "max_output_tokens" };
  if (reason === "content-filter") return { status: "incomplete", reason: "content_filter" };
  return { status: "completed" };
}
