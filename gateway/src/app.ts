import { join } from "node:path";

import type { FastifyInstance } from "fastify";

import { bootstrapKey, type BootstrapKey } from "#governance/create-key.ts";
import { openKeyRing, type KeyRing } from "#governance/key-ring.ts";
import { addAccountRoutes } from "#http/ingress/account.ts";
import { addInferenceRoutes } from "#http/ingress/inference.ts";
import { addModelRoutes } from "#http/ingress/models.ts";
import { addOperationsRoutes } from "#http/ingress/operations.ts";
import { addResponseRoutes } from "#http/ingress/responses.ts";
import { createServer } from "#http/server.ts";
import { VERSION } from "#lib/version.ts";
import { isDemoUrl } from "#demo/demo-provider.ts";
import { demoSend } from "#demo/demo-send.ts";
import type { Config } from "#config/read-config.ts";
import { openConfig } from "#market/market-config.ts";
import { openMarket, type LocalServer, type MarketSource } from "#market/market-source.ts";
import { DEFAULT_TIMEOUTS, type Gateway, type Timeouts } from "#pipeline/gateway.ts";
import { createStoredResponses } from "#pipeline/stored-responses.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { openStore, type Store } from "#store/store.ts";

import { deleteExpiredResponses } from "#store/stored-responses.ts";
import { createLog } from "#telemetry/log.ts";
import { findGeneration } from "#telemetry/read-record.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import type { Send } from "#upstream/answer.ts";
import { createDialer, type Dialer } from "#upstream/dialer.ts";

export interface AppOptions {
  /** The data folder. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** `turnpike.yaml`; absent: the one in the data folder, where there is one. */
  readonly configFile?: string;
  readonly timeouts?: Partial<Timeouts>;
  /** Told when a changed configuration is refused; the old one stays in force. */
  readonly onConfigError?: (message: string) => void;
}

export interface StartupReport {
  readonly home: string;
  /** Found in the environment: ids and names of variables, never values. */
  readonly providers: readonly { readonly id: string; readonly variable: string }[];
  readonly local: readonly LocalServer[];
  readonly bootstrap: BootstrapKey;
  readonly models: number;
  readonly endpoints: number;
  readonly readyMs: number;
  readonly configFile?: string;
}

export interface App {
  readonly url: string;
  readonly startup: StartupReport;
  /** Lets answers that are being given finish, up to a limit, then closes everything. */
  close(): Promise<void>;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8402;
const PURGE_INTERVAL_MS = 60 * 60 * 1000;

/** Puts the gateway together and starts it. Rejects when the port is busy or the data cannot be used. */
export async function startApp(options: AppOptions): Promise<App> {
  const started = performance.now();
  const parts = await openParts(options);
  const { config, gateway, keys, market, store, dialer } = parts;
  const state = { ready: true };
  const server = createServer({
    now: Date.now,
    bodyLimit: config?.limits.bodyBytes,
    log: gateway.log,
  });
  addRoutes(server, { gateway, keys, store, state });
  const url = await server.listen({
    host: options.host ?? config?.server.host ?? DEFAULT_HOST,
    port: options.port ?? config?.server.port ?? DEFAULT_PORT,
  });
  const purge = setInterval(
    // A store that fails now is told to whoever asks for something; the next purge does it all.
    () => void deleteExpiredResponses(store.core, Date.now()).catch(() => undefined),
    PURGE_INTERVAL_MS,
  );
  purge.unref();
  return {
    url,
    startup: { ...startupReport(options, parts), readyMs: performance.now() - started },
    close: async () => {
      state.ready = false;
      clearInterval(purge);
      await server.close();
      market.close();
      keys.close();
      await dialer.close();
      await store.close();
    },
  };
}

interface Parts {
  readonly config: Config | undefined;
  readonly configFile: string;
  readonly store: Store;
  readonly bootstrap: BootstrapKey;
  readonly keys: KeyRing;
  readonly dialer: Dialer;
  readonly market: MarketSource;
  readonly gateway: Gateway;
}

/** Everything behind the sockets. Each part gets only what it needs. */
async function openParts(options: AppOptions): Promise<Parts> {
  const { home, env } = options;
  const configFile = options.configFile ?? join(home, "turnpike.yaml");
  const config = await openConfig(configFile, env);
  const store = await openStore(home);
  const master = loadMasterKey(home, env["TURNPIKE_MASTER_KEY"]);
  const { core, records } = store;
  const bootstrap = await bootstrapKey(core, master.keyPepper, {
    fromEnvironment: env["TURNPIKE_KEY"],
    now: Date.now(),
  });
  const keys = await openKeyRing(core, master.keyPepper, Date.now);
  const dialer = createDialer(() => market.trustedOrigins());
  const send: Send = (request) =>
    isDemoUrl(request.url) ? demoSend(request) : dialer.send(request);
  let timeouts = timeoutsOf(config, options);
  const market: MarketSource = await openMarket({
    env,
    ownOrigins: originsOf(options.port ?? config?.server.port ?? DEFAULT_PORT),
    config,
    configFile,
    catalogFile: join(home, "catalog.json"),
    send,
    onError: options.onConfigError ?? (() => undefined),
    onConfig: (next) => {
      timeouts = timeoutsOf(next, options);
    },
  });
  await market.probe();
  const gateway: Gateway = {
    keys,
    market: () => market.current,
    send,
    writeRecord: createRecordWriter(records),
    responses: createStoredResponses(core, master, Date.now),
    log: createLog(env["LOG_LEVEL"]),
    timeouts: () => timeouts,
    tick: () => performance.now(),
  };
  return { config, configFile, store, bootstrap, keys, dialer, market, gateway };
}

function startupReport({ home }: AppOptions, parts: Parts): Omit<StartupReport, "readyMs"> {
  const { market, bootstrap, config, configFile } = parts;
  const { catalog } = market.current;
  return {
    home,
    providers: market.discovered,
    local: market.local,
    bootstrap,
    models: catalog.models.length,
    endpoints: catalog.models.reduce((sum, { id }) => sum + catalog.endpointsOf(id).length, 0),
    ...(config !== undefined && { configFile }),
  };
}

const originsOf = (port: number): readonly string[] =>
  ["127.0.0.1", "localhost", "[::1]"].map((host) => `http://${host}:${port}`);

const timeoutsOf = (config: Config | undefined, { timeouts }: AppOptions): Timeouts => ({
  ...DEFAULT_TIMEOUTS,
  ...definedOnly(config?.timeouts ?? {}),
  ...timeouts,
});

/** Without members that are `undefined`: those would hide a default. */
const definedOnly = (given: {
  readonly [Name in keyof Timeouts]?: number | undefined;
}): Partial<Timeouts> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

interface RouteDeps {
  readonly gateway: Gateway;
  readonly keys: KeyRing;
  readonly store: Store;
  readonly state: { readonly ready: boolean };
}

function addRoutes(server: FastifyInstance, { gateway, keys, store, state }: RouteDeps): void {
  const clock = (): { now: number; tick: number } => ({ now: Date.now(), tick: performance.now() });
  addInferenceRoutes(server, gateway, clock);
  addModelRoutes(server, { market: gateway.market, keys });
  addResponseRoutes(server, { keys, responses: gateway.responses });
  addAccountRoutes(server, { keys, findGeneration: (id) => findGeneration(store.records, id) });
  addOperationsRoutes(server, { isReady: () => state.ready, version: VERSION });
}
