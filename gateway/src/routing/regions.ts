import type { CatalogEndpoint } from "#catalog/types.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import { PROVIDERS } from "#providers/providers.ts";

/** Names that providers have for the variable that says where they work. */
const REGION_VARIABLES = ["region", "location"];

/**
 * Cross-region profiles are part of a model's id where the region is a variable (`eu.anthropic.…`):
 * prompts may then go to any region of that part of the world, or of all of it.
 */
const PROFILE = /^(us|us-gov|eu|apac|au|jp|ca|global)\./;

/** Where an endpoint processes prompts; empty: not known. */
export function regionsOf(
  { id, provider, variables, own }: ConfiguredProvider,
  { upstreamModel }: CatalogEndpoint,
): readonly string[] {
  // A tenant's word for where its own server lies would undo the organization's residency policy.
  if (own?.isElsewhere === true) return [];
  const variable = REGION_VARIABLES.find((name) => variables[name] !== undefined);
  const set = variable === undefined ? undefined : variables[variable];
  if (set !== undefined) return [PROFILE.exec(upstreamModel)?.[1] ?? set];
  // At another address than the provider's own, nobody knows.
  return PROVIDERS[id]?.baseUrl === provider.baseUrl ? (provider.regions ?? []) : [];
}

/** Whether all of the regions lie in one of those asked: `eu` takes in `eu-west-1`. */
export const liesIn = (regions: readonly string[], asked: readonly string[]): boolean =>
  regions.length > 0 &&
  regions.every((region) => asked.some((one) => region === one || region.startsWith(`${one}-`)));
