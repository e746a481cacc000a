import type { Catalog } from "#catalog/catalog.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";

/** The providers and models that there are to choose from. Replaced as a whole when either changes. */
export interface Market {
  readonly catalog: Catalog;
  readonly providers: ReadonlyMap<string, ConfiguredProvider>;
  /** The operator's own names for models, lower case. */
  readonly aliases: ReadonlyMap<string, string>;
}
