import { buildCatalog, type CatalogExtra } from "#catalog/catalog.ts";
import { builtInCatalog } from "#catalog/load-catalog.ts";
import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import { DEMO_ENDPOINTS, DEMO_MODELS } from "#demo/demo-catalog.ts";
import { DEMO_PROVIDER } from "#demo/demo-provider.ts";
import type { Market } from "#pipeline/market.ts";
import { watchConfig } from "#config/watch-config.ts";
import type { Config } from "#config/read-config.ts";
import { applyConfig } from "#market/market-config.ts";
import { watchCatalog } from "#market/watch-catalog.ts";
import { postForm } from "#market/post-form.ts";
import { unknownModel } from "#market/unknown-model.ts";
import { discoverProviders, type ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Send } from "#upstream/answer.ts";
import { probeModels } from "#upstream/probe-local.ts";

/** A server that was found running on this machine. */
export interface LocalServer {
  readonly id: string;
  readonly origin: string;
  readonly models: number;
}

export interface OpenMarket {
  readonly current: () => Market;
  /** Origins that may be private addresses: the operator named them, or they are this machine's. */
  trustedOrigins(): ReadonlySet<string>;
  readonly discovered: readonly { readonly id: string; readonly variable: string }[];
  readonly local: readonly LocalServer[];
  close(): void;
}

export interface MarketOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly configFile: string;
  /** What the file says now. */
  readonly config: Config | undefined;
  /** A catalogue file of the operator in place of the built-in one, where it exists. */
  readonly catalogFile: string;
  readonly send: Send;
  /** Told when a changed file is refused; what was before stays in force. */
  readonly onError: (message: string) => void;
  readonly onConfig: (config: Config) => void;
}

/** How often servers of this machine are looked for again: they may be started after the gateway. */
const PROBE_INTERVAL_MS = 30_000;

interface Running {
  readonly configured: ConfiguredProvider;
  readonly models: readonly string[];
}

/** Finds the providers that can be used and joins them with the catalogue. */
export async function openMarket(options: MarketOptions): Promise<OpenMarket> {
  const { send, env, onError } = options;
  const dependencies = { post: postForm(send) };
  let data = builtInCatalog();
  const found = discoverProviders(env, { dependencies });
  const local = found.filter(({ provider }) => provider.local === true);
  const remote = found.filter(({ provider }) => provider.local !== true);
  let config = await applyConfig(options.config, { env, data, dependencies });
  let running: readonly Running[] = [];
  let trusted = new Set<string>();
  let market: Market | undefined;

  const trust = (): void => {
    const named = [...found, ...config.providers].filter((one) => one.privateAddressAllowed);
    trusted = new Set(named.flatMap(({ origins }) => [...origins]));
  };
  const rebuild = (): Market => {
    trust();
    const own = running.map(({ configured }) => configured);
    // What the operator wrote down replaces what was found of the same id.
    const all = [DEMO_PROVIDER, ...own, ...remote, ...config.providers];
    market = {
      catalog: buildCatalog(data, joined([DEMO_EXTRA, runningExtra(running), config.extra])),
      providers: new Map(all.map((one) => [one.id, one])),
      aliases: config.aliases,
    };
    return market;
  };
  trust();
  running = await runningServers(local, send);
  rebuild();

  const probe = async (): Promise<void> => {
    const before = JSON.stringify(running.map(({ models }) => models));
    running = await runningServers(local, send);
    if (JSON.stringify(running.map(({ models }) => models)) !== before) rebuild();
  };
  const timer = setInterval(() => void probe(), PROBE_INTERVAL_MS);
  timer.unref();
  const useConfig = async (next: Config): Promise<void> => {
    try {
      config = await applyConfig(next, { env, data, dependencies });
      rebuild();
      options.onConfig(next);
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
  const stopConfig = watchConfig(options.configFile, {
    env,
    onError,
    onChange: (next) => void useConfig(next),
  });
  const stopCatalog = await watchCatalog(options.catalogFile, {
    onError,
    onChange: (next) => {
      data = next;
      rebuild();
    },
  });
  return {
    current: () => market ?? rebuild(),
    trustedOrigins: () => trusted,
    discovered: remote.map(({ id, credentialId }) => ({
      id,
      variable: credentialId.replace(/^env:/, ""),
    })),
    local: running.map(({ configured, models }) => ({
      id: configured.id,
      origin: configured.provider.baseUrl,
      models: models.length,
    })),
    close: () => {
      clearInterval(timer);
      stopConfig();
      stopCatalog();
    },
  };
}

const DEMO_EXTRA: CatalogExtra = { models: DEMO_MODELS, endpoints: DEMO_ENDPOINTS };

const joined = (extras: readonly CatalogExtra[]): CatalogExtra => ({
  models: extras.flatMap(({ models }) => models ?? []),
  endpoints: extras.flatMap(({ endpoints }) => endpoints ?? []),
});

async function runningServers(
  local: readonly ConfiguredProvider[],
  send: Send,
): Promise<readonly Running[]> {
  const probed = await Promise.all(
    local.map(async (configured) => ({
      configured,
      models: await probeModels(send, configured.provider.baseUrl),
    })),
  );
  return probed.flatMap(({ configured, models }) =>
    models === undefined ? [] : [{ configured, models }],
  );
}

/** Models of this machine's servers: what they can do is not known, and their tokens cost nothing. */
function runningExtra(running: readonly Running[]): CatalogExtra {
  const models: CatalogModel[] = [];
  const endpoints: CatalogEndpoint[] = [];
  for (const { configured, models: ids } of running) {
    for (const upstreamModel of ids) {
      const id = `${configured.id}/${upstreamModel}`.toLowerCase();
      models.push(unknownModel(id, { name: upstreamModel, author: configured.id }));
      endpoints.push({
        model: id,
        provider: configured.id,
        upstreamModel,
        prices: { input: 0, output: 0 },
        source: { name: "listed by the server on this machine", date: "" },
      });
    }
  }
  return { models, endpoints };
}
