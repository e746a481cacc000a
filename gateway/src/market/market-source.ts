import { basename } from "node:path";

import { buildCatalog, type CatalogExtra } from "#catalog/catalog.ts";
import { builtInCatalog } from "#catalog/load-catalog.ts";
import type { CatalogData } from "#catalog/types.ts";
import type { Config } from "#config/read-config.ts";
import { watchConfig } from "#config/watch-config.ts";
import { DEMO_ENDPOINTS, DEMO_MODELS } from "#demo/demo-catalog.ts";
import { DEMO_PROVIDER } from "#demo/demo-provider.ts";
import { runningModels, runningServers, type RunningServer } from "#market/local-servers.ts";
import {
  applyConfig,
  NO_CONFIG,
  type MarketConfig,
  type OpenedConfig,
} from "#market/market-config.ts";
import { postForm } from "#market/post-form.ts";
import { readAdapter } from "#market/router-adapter.ts";
import { unknownNames } from "#market/unknown-names.ts";
import { watchCatalog } from "#market/watch-catalog.ts";
import type { Adapter } from "#routing/auto/adapter.ts";
import type { Market } from "#routing/market.ts";
import type { PlatformPlace } from "#providers/configure-own.ts";
import {
  discoverProviders,
  rowInEnvironment,
  type ConfiguredProvider,
} from "#providers/configured-providers.ts";
import { PROVIDERS } from "#providers/providers.ts";
import type { Send } from "#upstream/answer.ts";

/** A server that was found running on this machine. */
export interface LocalServer {
  readonly id: string;
  readonly origin: string;
  readonly models: number;
}

export interface MarketOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Where `turnpike.yaml` may be; the first that exists counts. */
  readonly configPlaces: readonly string[];
  /** What it says now, where there is one. */
  readonly opened: OpenedConfig | undefined;
  /** A catalogue file of the operator in place of the built-in one, where it exists. */
  readonly catalogFile: string;
  /** What `turnpike route train` wrote, where it exists. */
  readonly adapterFile?: string;
  readonly send: Send;
  /** Told in words for the operator: files that are refused, aliases that lead nowhere. */
  readonly onNotice: (message: string) => void;
  /** Given each change of the settings that was accepted; no file: it is gone. */
  readonly onConfig: (config: Config, file: string | undefined) => void;
  /**
   * Where this gateway itself is. A shell that points SDKs here (`OPENAI_BASE_URL`) may start the
   * gateway too: it must not take itself for the provider.
   */
  readonly ownOrigins: readonly string[];
}

/** How often servers of this machine are looked for again: they may be started after the gateway. */
const PROBE_INTERVAL_MS = 30_000;

const DEMO: CatalogExtra = { models: DEMO_MODELS, endpoints: DEMO_ENDPOINTS };

/** Finds the providers that can be used, and joins them with the catalogue. */
export async function openMarket(options: MarketOptions): Promise<MarketSource> {
  const market = new MarketSource(options);
  await market.open();
  return market;
}

/**
 * Where the market comes from: environment, `turnpike.yaml`, catalogue, servers on this machine.
 * Each change makes a new `current`; requests that are under way keep the one they began with.
 */
export class MarketSource {
  readonly #options: MarketOptions;
  readonly #remote: readonly ConfiguredProvider[];
  readonly #local: readonly ConfiguredProvider[];
  readonly #post: ReturnType<typeof postForm>;
  readonly #adapter: Adapter | undefined;
  #data: CatalogData = builtInCatalog();
  #running: readonly RunningServer[] = [];
  #config: MarketConfig = NO_CONFIG;
  #configFile: string | undefined;
  #catalogFault: string | undefined;
  #current: Market;
  /** Of base URLs that the environment names, with a key beside or not: tenants may bring theirs. */
  readonly #namedOrigins: readonly string[];
  #trusted: ReadonlySet<string> = new Set();
  readonly #stops: (() => void)[] = [];

  constructor(options: MarketOptions) {
    this.#options = options;
    this.#post = postForm(options.send);
    const { env, ownOrigins, adapterFile } = options;
    this.#adapter = adapterFile === undefined ? undefined : readAdapter(adapterFile);
    const found = discoverProviders(env, { dependencies: { post: this.#post }, ownOrigins });
    this.#remote = found.filter(({ provider }) => provider.local !== true);
    this.#local = found.filter(({ provider }) => provider.local === true);
    this.#namedOrigins = namedOrigins(options);
    this.#current = this.#join();
  }

  get current(): Market {
    return this.#current;
  }

  /** Origins that may be private addresses: the operator named them, or they are this machine's. */
  trustedOrigins(): ReadonlySet<string> {
    return this.#trusted;
  }

  /** Where the platform reaches a provider, key or none; `undefined`: tenants bring no keys to it. */
  placeOf(id: string): PlatformPlace | undefined {
    const configured = this.#current.providers.get(id)?.[0];
    const dependencies = { post: this.#post };
    if (configured === undefined) {
      const place = rowInEnvironment(id, this.#options);
      return place && { ...place, dependencies };
    }
    const { provider: row, privateAddressAllowed } = configured;
    const isOwnMachine = row.local === true || configured === DEMO_PROVIDER;
    return isOwnMachine ? undefined : { row, privateAddressAllowed, dependencies };
  }

  /** Providers whose keys were found, by the variable's or the settings file's name. */
  get discovered(): readonly { readonly id: string; readonly variable: string }[] {
    const variable = basename(this.#configFile ?? "");
    const named = this.#config.providers.map(({ id }) => ({ id, variable }));
    const found = this.#remote
      .filter(({ id }) => !named.some((one) => one.id === id))
      .map(({ id, credentialId }) => ({ id, variable: credentialId.replace(/^env:/, "") }));
    return [...found, ...named];
  }

  /** Why the operator's catalogue file is not used, where there is one. */
  get catalogFault(): string | undefined {
    return this.#catalogFault;
  }

  get local(): readonly LocalServer[] {
    return this.#running.map(({ configured, models }) => ({
      id: configured.id,
      origin: configured.provider.baseUrl,
      models: models.length,
    }));
  }

  /** Reads the files and follows them. Rejects when the settings of a provider cannot be used. */
  async open(): Promise<void> {
    const { opened, configPlaces, catalogFile, env } = this.#options;
    await this.#apply(opened);
    const refused = (message: string): void =>
      this.#options.onNotice(`The changed settings are refused, the old ones stay:\n${message}`);
    const use = async (config: Config, file: string | undefined): Promise<void> => {
      try {
        await this.#apply(file === undefined ? undefined : { file, config });
        this.#options.onConfig(config, file);
        this.#warnOfNames();
      } catch (error) {
        refused(error instanceof Error ? error.message : String(error));
      }
    };
    const onChange = (config: Config, file: string | undefined): void => void use(config, file);
    this.#stops.push(watchConfig(configPlaces, { env, onError: refused, onChange }));
    this.#stops.push(await this.#watchCatalog(catalogFile));
    this.#warnOfNames();
    const timer = setInterval(() => void this.probe(), PROBE_INTERVAL_MS);
    timer.unref();
    this.#stops.push(() => clearInterval(timer));
  }

  #watchCatalog(file: string): Promise<() => void> {
    let inForce = "the built-in catalogue is used";
    return watchCatalog(file, {
      onChange: (data) => {
        inForce = data === undefined ? "the built-in catalogue is used" : "the one before it stays";
        this.#catalogFault = undefined;
        this.#data = data ?? builtInCatalog();
        this.#current = this.#join();
      },
      onError: (message) => {
        this.#catalogFault = message;
        this.#options.onNotice(`${file} is refused, ${inForce}:\n${message}`);
      },
    });
  }

  #warnOfNames(): void {
    const place = basename(this.#configFile ?? "");
    for (const fault of unknownNames(this.#current)) {
      this.#options.onNotice(`Warning: ${place}: ${fault}`);
    }
  }

  /** Looks for servers on this machine. */
  async probe(): Promise<void> {
    const running = await runningServers(this.#local, this.#options.send);
    const ids = (servers: readonly RunningServer[]): string =>
      JSON.stringify(servers.map(({ configured, models }) => [configured.id, models]));
    if (ids(running) === ids(this.#running)) return;
    this.#running = running;
    this.#current = this.#join();
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #apply(opened: OpenedConfig | undefined): Promise<void> {
    const { env } = this.#options;
    const dependencies = { post: this.#post };
    this.#config = await applyConfig(opened, { env, data: this.#data, dependencies });
    this.#configFile = opened?.file;
    this.#current = this.#join();
  }

  #join(): Market {
    const running = this.#running.map(({ configured }) => configured);
    const named = [...this.#remote, ...this.#local, ...this.#config.providers];
    const nearby = named.filter((one) => one.privateAddressAllowed);
    this.#trusted = new Set([
      ...nearby.flatMap(({ origins }) => [...origins]),
      ...this.#namedOrigins,
    ]);
    // What the operator wrote down replaces what was found under the same id.
    const written = new Set(this.#config.providers.map(({ id }) => id));
    const found = [DEMO_PROVIDER, ...running, ...this.#remote].filter(({ id }) => !written.has(id));
    const providers = [...found, ...this.#config.providers];
    const extras = [DEMO, runningModels(this.#running), this.#config.extra];
    return {
      catalog: buildCatalog(this.#data, {
        models: extras.flatMap(({ models }) => models ?? []),
        endpoints: extras.flatMap(({ endpoints }) => endpoints ?? []),
      }),
      providers: Map.groupBy(providers, ({ id }) => id),
      aliases: this.#config.aliases,
      policy: this.#config.policy,
      ...(this.#adapter !== undefined && { adapter: this.#adapter }),
    };
  }
}

function namedOrigins({ env, ownOrigins }: MarketOptions): readonly string[] {
  const places = Object.keys(PROVIDERS).map((id) => rowInEnvironment(id, { env, ownOrigins }));
  return places.flatMap((place) => {
    if (place?.privateAddressAllowed !== true) return [];
    const { baseUrl } = place.row;
    return baseUrl.includes("{") ? [] : [new URL(baseUrl).origin];
  });
}
