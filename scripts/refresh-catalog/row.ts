import type { Capabilities, Modality, ModelKind, Prices } from "../../gateway/src/catalog/types.ts";

/** One model at one provider as one source tells it. */
export interface SourceRow {
  readonly source: string;
  readonly date: string;
  readonly provider: string;
  readonly upstreamModel: string;
  readonly name?: string;
  readonly kind?: ModelKind;
  readonly input?: readonly Modality[];
  readonly output?: readonly Modality[];
  readonly capabilities?: Capabilities;
  readonly released?: string;
  readonly deprecated?: string;
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly prices?: Prices;
  /** The day from which an announced price holds, when that is later than the source. */
  readonly priceFrom?: string;
}
