import type { JsonObject } from "#lib/json.ts";
import type { Message } from "#canonical/message.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { Tool, ToolChoice } from "#canonical/tool.ts";

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** How much a model should think, and what it should show of it. Absent members: the provider's default. */
export interface ReasoningOptions {
  readonly effort?: ReasoningEffort;
  /** Upper bound of thinking tokens (Anthropic, Gemini). */
  readonly budgetTokens?: number;
  /** True: think as much as the task needs (Anthropic's `adaptive`); false: do not think. */
  readonly enabled?: boolean;
  /** Show the reasoning or a summary of it; `none` hides it. */
  readonly summary?: "auto" | "concise" | "detailed" | "none";
  /** The client wants opaque reasoning items back, to send them again on the next turn. */
  readonly encrypted?: boolean;
}

export type OutputFormat =
  | { readonly type: "text" }
  | { readonly type: "json-object" }
  | {
      readonly type: "json-schema";
      readonly schema: JsonObject;
      readonly name?: string;
      readonly description?: string;
      readonly strict?: boolean;
    };

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly logitBias?: JsonObject;
}

/**
 * A chat request in the one vocabulary between the dialects. Every optional member is absent when
 * the client did not send it: renderers add no defaults of their own.
 */
export interface ChatRequest {
  readonly protocol: ClientProtocol;
  /** As the client wrote it. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly stream: boolean;
  /** OpenAI chat: the client asked for a usage chunk at the end of the stream. */
  readonly includeUsage?: boolean;
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly outputFormat?: OutputFormat;
  readonly maxOutputTokens?: number;
  readonly sampling?: Sampling;
  readonly stopSequences?: readonly string[];
  /** How many answers (`n`, `candidateCount`). */
  readonly candidateCount?: number;
  readonly logprobs?: { readonly top?: number };
  readonly reasoning?: ReasoningOptions;
  readonly verbosity?: string;
  readonly serviceTier?: string;
  readonly promptCacheKey?: string;
  readonly promptCacheRetention?: string;
  /** A stable id of the end user, for the provider's abuse detection. */
  readonly user?: string;
  readonly metadata?: JsonObject;
  /** What the answer may be made of, where it is not just text: `["text","audio"]`, `["text","image"]`. */
  readonly outputModalities?: readonly string[];
  /**
   * Top-level members of the client's body that the vocabulary has no word for, under their wire
   * names. Crossing to another protocol drops them with a named loss.
   */
  readonly extra?: JsonObject;
}
