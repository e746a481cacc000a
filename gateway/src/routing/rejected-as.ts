import type { CatalogEndpoint } from "#catalog/types.ts";
import type { Constraint, Rejection } from "#routing/route.ts";

interface ConstraintWords {
  /** Why an endpoint is left out, where nothing more precise is said. */
  readonly reason: string;
  /** What would let it in. */
  readonly relax: string;
}

/** The words of every hard bound. */
const CONSTRAINTS: Readonly<Record<Constraint, ConstraintWords>> = {
  policy: {
    reason: "forbidden by a policy",
    relax: "ask whoever administers the policy",
  },
  no_key: { reason: "no key", relax: "set a key of the provider in the environment and restart" },
  own_only: {
    reason: "only own credentials are used, and there is none of the provider",
    relax: "add a credential of the provider, or let the platform's be used, too",
  },
  operation: { reason: "not offered by the provider", relax: "name another model" },
  only: { reason: "not in provider.only", relax: "add its provider to provider.only" },
  ignore: { reason: "in provider.ignore", relax: "take its provider out of provider.ignore" },
  zdr: {
    reason: "no documented zero retention (provider.zdr)",
    relax: "leave provider.zdr out, or name a provider without retention",
  },
  data_collection: {
    reason: "not documented that it does not train on API data (provider.data_collection)",
    relax: "leave provider.data_collection out",
  },
  region: { reason: "not known to lie in provider.region", relax: "widen provider.region" },
  max_price: { reason: "dearer than provider.max_price", relax: "raise provider.max_price" },
  max_cost: { reason: "would cost more than route.max_cost", relax: "raise route.max_cost" },
  context: { reason: "its context is too small", relax: "shorten the input" },
  modality: { reason: "it does not take this kind of input", relax: "leave that input out" },
  require_parameters: {
    reason: "not documented to take every parameter (provider.require_parameters)",
    relax: "leave provider.require_parameters out",
  },
  allow_fallbacks: {
    reason: "provider.allow_fallbacks is false",
    relax: "leave provider.allow_fallbacks out",
  },
  unhealthy: { reason: "it is kept away from after failures", relax: "try again later" },
};

interface About extends Pick<Rejection, "endpoint" | "key" | "retryAfterMs"> {
  readonly endpoint: CatalogEndpoint;
  readonly reason?: string | undefined;
}

/** A rejection in the words of its constraint, or in more precise ones. */
export function rejectedAs(constraint: Constraint, { reason, ...about }: About): Rejection {
  const words = CONSTRAINTS[constraint];
  return { ...about, constraint, reason: reason ?? words.reason, relax: words.relax };
}
