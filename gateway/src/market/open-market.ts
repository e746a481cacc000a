import { buildCatalog, type CatalogExtra } from "#catalog/catalog.ts";
import { builtInCatalog } from "#catalog/load-catalog.ts";
import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import { DEMO_ENDPOINTS, DEMO_MODELS } from "#demo/demo-catalog.ts";
import { DEMO_PROVIDER } from "#demo/demo-provider.ts";
import type { Market } from "#pipeline/market.ts";
import { readConfig, watchConfig } from "#market/market-config.ts";
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
  readonly configFile?: string;
  close(): void;
}

export interface MarketOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly configFile: string;
  readonly send: Send;
  readonly onError?: (message: string) => void;
}

/** How often servers of this machine are looked for again: they may be started after the gateway. */
const PROBE_INTERVAL_MS = 30_000;

interface Running {
  readonly configured: ConfiguredProvider;
  readonly models: readonly string[];
}

/** Finds the providers that can be used and joins them with the catalogue. */
export async function openMarket(options: MarketOptions): Promise<OpenMarket> {
  const { send } = options;
  const data = builtInCatalog();
  const found = discoverProviders(options.env, { dependencies: { post: postForm(send) } });
  const local = found.filter(({ provider }) => provider.local === true);
  const remote = found.filter(({ provider }) => provider.local !== true);
  let config = await readConfig(options);
  let running: readonly Running[] = [];
  let trusted = new Set<string>();
  let market: Market;

  const trust = (): void => {
    const named = [...found, ...config.providers].filter((one) => one.privateAddressAllowed);
    trusted = new Set(named.flatMap(({ origins }) => [...origins]));
  };
  const rebuild = (): void => {
    trust();
    const own = running.map(({ configured }) => configured);
    // What the operator wrote down replaces what was found of the same id.
    const all = [DEMO_PROVIDER, ...own, ...remote, ...config.providers];
    market = {
      catalog: buildCatalog(data, joined([DEMO_EXTRA, runningExtra(running), config.extra])),
      providers: new Map(all.map((one) => [one.id, one])),
      aliases: config.aliases,
    };
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
  const stopWatching = watchConfig(options, (next) => {
    config = next;
    rebuild();
  });
  return {
    current: () => market,
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
    ...(config.file !== undefined && { configFile: config.file }),
    close: () => {
      clearInterval(timer);
      stopWatching();
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
