import type { ServiceTier } from "#canonical/usage.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { CatalogEndpoint, CatalogModel, Modality, TokenPrices } from "#catalog/types.ts";
import type { OperationName } from "#canonical/operation-name.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { OperationSpeech, Speech } from "#providers/provider.ts";

/** What a request needs of an endpoint; a hard bound each. */
export interface Needs {
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
  readonly inputTokens: number;
  readonly modalities: readonly Modality[];
  readonly tools: boolean;
  /** The answer must be JSON or obey a schema. */
  readonly structuredOutput?: boolean;
  /** The caller asked for thinking. */
  readonly reasoning?: boolean;
  readonly maxOutputTokens?: number;
  /** What the request pays for its speed; absent: the usual. */
  readonly tier?: ServiceTier;
  /** The last message is a tool's result: the model is in the middle of its work. */
  readonly inToolLoop?: boolean;
}

/** One endpoint with one credential: all of it that does not change from request to request. */
export interface Candidate {
  readonly key: string;
  readonly configured: ConfiguredProvider;
  readonly model: CatalogModel;
  readonly endpoint: CatalogEndpoint;
  readonly speech: Speech | OperationSpeech;
  /** Where it processes prompts, as far as that is known. */
  readonly regions: readonly string[];
  /** See `blendedPrice`; of a short request. */
  readonly blendedPrice: number;
  /** Hash of the key: what its dice are thrown with. */
  readonly salt: number;
}

/** Price of a typical mix of three input tokens to one output token; infinite when unknown. */
export const blendedPrice = (prices: TokenPrices | undefined): number =>
  prices === undefined ? Number.MAX_VALUE : 3 * prices.input + prices.output;

/** An endpoint's prices for so much input: long requests cost more at some. */
export function pricesAt(
  { prices }: CatalogEndpoint,
  inputTokens: number,
): TokenPrices | undefined {
  if (prices?.longContext === undefined) return prices;
  return (
    prices.longContext.findLast((tier) => inputTokens > tier.aboveInputTokens)?.prices ?? prices
  );
}

/** Output that is reckoned with where nothing tells how long an answer will be. */
const TYPICAL_OUTPUT_TOKENS = 500;

/** About what a request will cost at an endpoint, in nano-USD; `undefined` when no price is known. */
export function expectedCostNanoUsd(endpoint: CatalogEndpoint, needs: Needs): number | undefined {
  const prices = pricesAt(endpoint, needs.inputTokens);
  if (prices === undefined) return undefined;
  const isChat = needs.operation === "chat";
  const output = isChat ? Math.min(TYPICAL_OUTPUT_TOKENS, needs.maxOutputTokens ?? Infinity) : 0;
  const picoUsd = needs.inputTokens * prices.input + output * prices.output;
  return Math.round(picoUsd / 1_000) + (endpoint.prices?.perRequestNanoUsd ?? 0);
}
