import { existsSync } from "node:fs";

import { buildCatalog, type CatalogExtra } from "#catalog/catalog.ts";
import type { CatalogData } from "#catalog/types.ts";
import type { Config } from "#config/read-config.ts";
import { configureProvider, type ConfiguredProvider } from "#providers/configured-providers.ts";
import type { AuthDependencies } from "#providers/provider.ts";

/** What `turnpike.yaml` adds to the market. */
export interface MarketConfig {
  readonly providers: readonly ConfiguredProvider[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly extra: CatalogExtra;
}

export const NO_CONFIG: MarketConfig = { providers: [], aliases: new Map(), extra: {} };

/** The configuration, where the file exists. Rejects with line and path where it is wrong. */
export async function openConfig(
  file: string,
  env: NodeJS.ProcessEnv,
): Promise<Config | undefined> {
  if (!existsSync(file)) return undefined;
  const { readConfigFile } = await import("#config/read-config.ts");
  return readConfigFile(file, env);
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly data: CatalogData;
  readonly dependencies: AuthDependencies;
}

/** Makes providers and models of a configuration. Throws naming the provider's setting at fault. */
export async function applyConfig(
  config: Config | undefined,
  { env, data, dependencies }: Surroundings,
): Promise<MarketConfig> {
  if (config === undefined) return NO_CONFIG;
  const { catalogExtraOf, settingsOf } = await import("#config/config-market.ts");
  return {
    providers: config.providers.map((entry) =>
      configureProvider(entry.id, settingsOf(entry), { env, dependencies }),
    ),
    aliases: new Map(
      Object.entries(config.aliases).map(([name, model]) => [name.toLowerCase(), model]),
    ),
    extra: catalogExtraOf(config, buildCatalog(data)),
  };
}
