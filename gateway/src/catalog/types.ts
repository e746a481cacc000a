import type { ServiceTier } from "#canonical/usage.ts";

/** What a model is for; decides which operations may name it. */
export type ModelKind =
  | "chat"
  | "embedding"
  | "rerank"
  | "moderation"
  | "image"
  | "speech"
  | "transcription"
  | "video";

export type Modality = "text" | "image" | "audio" | "video" | "file";

/** Prices in pico-USD a token (1 USD / 1M tokens = 1_000_000 pico-USD a token); integers ≥ 0. */
export interface TokenPrices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite5m?: number;
  readonly cacheWrite1h?: number;
  /** Reasoning tokens, where they are priced apart from output. */
  readonly reasoning?: number;
  readonly inputAudio?: number;
  readonly cacheReadAudio?: number;
  readonly outputAudio?: number;
  readonly inputImage?: number;
  readonly outputImage?: number;
}

/** All prices of one endpoint. `perRequest*` and `perSearch*` are nano-USD. */
export interface Prices extends TokenPrices {
  /** Long-context tiers, ascending: once `inputTokens` passes the bound, all tokens cost these. */
  readonly longContext?: readonly {
    readonly aboveInputTokens: number;
    readonly prices: TokenPrices;
  }[];
  /** Prices that differ by service tier. */
  readonly tiers?: Partial<Record<Exclude<ServiceTier, "default">, TokenPrices>>;
  readonly perRequestNanoUsd?: number;
  readonly perWebSearchNanoUsd?: number;
  /** Rerank: a search unit. */
  readonly perSearchUnitNanoUsd?: number;
}

export interface Capabilities {
  readonly tools?: boolean;
  readonly structuredOutput?: boolean;
  readonly reasoning?: boolean;
  readonly temperature?: boolean;
}

/** A model, whoever serves it. */
export interface CatalogModel {
  /** Lower-case slug without a provider: `claude-sonnet-4-5`, `gpt-5.1`, `llama-3.3-70b-instruct`. */
  readonly id: string;
  readonly name: string;
  /** Who made it: `anthropic`, `openai`, `meta`. */
  readonly author: string;
  readonly kind: ModelKind;
  /** Other names that resolve to it: dated ids, `author/name` spellings of other catalogues. */
  readonly aliases: readonly string[];
  readonly input: readonly Modality[];
  readonly output: readonly Modality[];
  readonly capabilities: Capabilities;
  /** ISO dates. */
  readonly released?: string;
  readonly deprecated?: string;
}

/** One model at one provider: what routing chooses between. */
export interface CatalogEndpoint {
  readonly model: string;
  /** Id of a row of the provider table. */
  readonly provider: string;
  /** The id that the provider's API takes. */
  readonly upstreamModel: string;
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  /** Absent when unknown: cost is then `null`, never 0. */
  readonly prices?: Prices;
  /** Where the facts come from; `confirmedBy` when a second source agrees on the base prices. */
  readonly source: { readonly name: string; readonly date: string; readonly confirmedBy?: string };
  readonly deprecated?: string;
}

export interface CatalogData {
  readonly schema: 1;
  /** ISO date of the newest source. */
  readonly asOf: string;
  readonly sources: readonly {
    readonly name: string;
    readonly date: string;
    readonly licence: string;
  }[];
  readonly models: readonly CatalogModel[];
  readonly endpoints: readonly CatalogEndpoint[];
}
