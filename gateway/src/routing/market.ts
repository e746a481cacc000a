import type { ByokOrder } from "@turnpike/contract/governance.ts";

import type { Catalog } from "#catalog/catalog.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Adapter } from "#routing/auto/adapter.ts";
import type { RoutingPolicy } from "#routing/policy.ts";

/** The providers and models that there are to choose from. Replaced as a whole when either changes. */
export interface Market {
  readonly catalog: Catalog;
  /** By id; a provider may have several credentials. None is an empty list. */
  readonly providers: ReadonlyMap<string, readonly ConfiguredProvider[]>;
  /** The operator's own names for models, lower case. */
  readonly aliases: ReadonlyMap<string, string>;
  /** How the operator wants requests to be routed. */
  readonly policy: RoutingPolicy;
  /** What the operator's own labels taught `auto`. */
  readonly adapter?: Adapter;
  /** Of a tenant that brought credentials: how they stand to the platform's. Absent: it has none. */
  readonly ownOrder?: ByokOrder;
}
