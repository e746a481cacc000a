import type { JsonObject } from "#lib/json.ts";
import type { Part } from "#canonical/message.ts";
import type { Usage } from "#canonical/usage.ts";

export type FinishReason =
  | "stop"
  | "length"
  | "tool-calls"
  | "stop-sequence"
  | "content-filter"
  | "refusal"
  /** Anthropic's `pause_turn`: send the answer back to go on. */
  | "pause"
  | "error"
  | "other";

/** One of the answers; there is more than one only when `candidateCount` asked for it. */
export interface Candidate {
  readonly parts: readonly Part[];
  readonly finishReason: FinishReason;
  /** The stop sequence that was met. */
  readonly stopSequence?: string;
  /** OpenAI's `logprobs.content` array as it came. */
  readonly logprobs?: readonly JsonObject[];
}

export interface ChatResponse {
  readonly id: string;
  /** The provider's name of the model that answered. */
  readonly model: string;
  /** Unix seconds. */
  readonly created?: number;
  readonly candidates: readonly Candidate[];
  readonly usage?: Usage;
  readonly serviceTier?: string;
}
