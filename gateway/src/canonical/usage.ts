/**
 * Tokens of one answer. Totals are inclusive and every other count is a part of its total:
 * `inputTokens` includes cache reads, cache writes, audio and images; `outputTokens` includes
 * reasoning and audio. Providers that exclude some of them (Anthropic, Bedrock: cache; Gemini, xAI
 * chat: reasoning) are corrected by their parser. All values are integers ≥ 0.
 */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWrite5mTokens?: number;
  readonly cacheWrite1hTokens?: number;
  readonly inputAudioTokens?: number;
  /** The part of `inputAudioTokens` that was read from cache; also part of `cacheReadTokens`. */
  readonly cacheReadAudioTokens?: number;
  readonly inputImageTokens?: number;
  readonly reasoningTokens?: number;
  readonly outputAudioTokens?: number;
  readonly outputImageTokens?: number;
  /** Calls of the provider's own web search that it bills apart. */
  readonly webSearchRequests?: number;
  /** What the provider itself says that it charged, in USD (OpenRouter, xAI, Perplexity). */
  readonly reportedCostUsd?: number;
  /** Rerank and OCR are billed by unit, not by token. */
  readonly searchUnits?: number;
  /** True when the provider gave no usage and the numbers come from text lengths. */
  readonly estimated?: boolean;
}

/** The kinds of service that have prices of their own. */
export type ServiceTier = "default" | "batch" | "priority" | "flex";
