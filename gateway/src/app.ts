import { join } from "node:path";

import type { FastifyInstance } from "fastify";

import { openOwnCredentials } from "#app/open-own-credentials.ts";
import { openGovernance } from "#app/open-governance.ts";
import type { SignIn } from "#app/open-sign-in.ts";
import type { CredentialRing } from "#byok/credential-ring.ts";
import { bootstrapKey, type BootstrapKey } from "#governance/create-key.ts";
import type { Directory } from "#governance/directory.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import { addAccountRoutes } from "#http/ingress/account.ts";
import { eventFacts } from "#health/event-facts.ts";
import { shareHealth } from "#health/health-sharing.ts";
import { HealthTracker } from "#health/health-tracker.ts";
import { valkeyTransport } from "#health/valkey-transport.ts";
import { newId } from "#lib/ids.ts";
import { DEFAULT_HEALTH_PARAMETERS, type HealthParameters } from "#health/parameters.ts";
import { addFeedbackRoute } from "#http/ingress/feedback.ts";
import { addHealthRoutes } from "#http/ingress/health.ts";
import { addInferenceRoutes } from "#http/ingress/inference.ts";
import { addModelRoutes } from "#http/ingress/models.ts";
import { addOperationsRoutes } from "#http/ingress/operations.ts";
import { addResponseRoutes } from "#http/ingress/responses.ts";
import { addRouteRoute } from "#http/ingress/route.ts";
import { createServer } from "#http/server.ts";
import { VERSION } from "#lib/version.ts";
import { isDemoUrl } from "#demo/demo-provider.ts";
import { demoSend } from "#demo/demo-send.ts";
import type { Config } from "#config/read-config.ts";
import { openConfig, type OpenedConfig } from "#market/market-config.ts";
import { openMarket, type LocalServer, type MarketSource } from "#market/market-source.ts";
import { DEFAULT_TIMEOUTS, type Gateway, type Timeouts } from "#pipeline/gateway.ts";
import { createFeedback } from "#pipeline/feedback.ts";
import { openLearner } from "#pipeline/learner.ts";
import { RetryBudget } from "#pipeline/retry-budget.ts";
import { ADAPTER_FILE } from "#market/router-adapter.ts";
import type { Market } from "#routing/market.ts";
import { createSessionMemory } from "#routing/session-memory.ts";
import { createStoredResponses } from "#pipeline/stored-responses.ts";
import { loadMasterKey, type MasterKey } from "#privacy/master-key.ts";
import { DATABASE_VARIABLE, openStore, type Store } from "#store/store.ts";

import { deleteExpiredResponses } from "#store/stored-responses.ts";
import { createLog, type Log } from "#telemetry/log.ts";
import { findGeneration } from "#telemetry/read-record.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import type { Send } from "#upstream/answer.ts";
import { createDialer } from "#upstream/dialer.ts";

export interface AppOptions {
  /** The data folder. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Where `turnpike.yaml` may be, the first that exists counts; absent: in the data folder. */
  readonly configPlaces?: readonly string[];
  readonly timeouts?: Partial<Timeouts>;
  /** Parameters of health that differ, before those of the settings. */
  readonly health?: Partial<HealthParameters>;
  /** Told in words for the operator: settings that were applied or refused, and what to look at. */
  readonly onNotice?: (message: string) => void;
}

export interface StartupReport {
  readonly home: string;
  /** Ids, with the names of the variables or of the file where they were found; never values. */
  readonly providers: readonly { readonly id: string; readonly variable: string }[];
  readonly local: readonly LocalServer[];
  readonly bootstrap: BootstrapKey;
  /** One-time token of the setup page; absent: somebody can sign in already. */
  readonly setupToken?: string;
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
  const opened = await openConfig(configPlacesOf(options), options.env);
  const store = await openStore({
    home: options.home,
    databaseUrl: options.env[DATABASE_VARIABLE],
    checkIntegrity: true,
  });
  const closers: Closer[] = [() => store.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const parts = await openParts(options, { opened, store, closers });
    const { url, bootstrap } = await listen(options, parts, closers);
    const report = startupReport(options, { ...parts, bootstrap });
    return { url, startup: { ...report, readyMs: performance.now() - started }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => void | Promise<void>;

async function listen(
  options: AppOptions,
  parts: Parts,
  closers: Closer[],
): Promise<{ readonly url: string; readonly bootstrap: BootstrapKey }> {
  const { config, gateway, directory, store, master } = parts;
  const state = { ready: false };
  const server = createServer({
    now: Date.now,
    bodyLimit: config?.limits.bodyBytes,
    log: gateway.log,
  });
  addRoutes(server, { ...parts, state });
  closers.push(() => closeServer(server));
  const url = await server.listen({
    host: options.host ?? config?.server.host ?? DEFAULT_HOST,
    port: options.port ?? config?.server.port ?? DEFAULT_PORT,
  });
  // Only now: a key that is shown this once must not be lost to a start that fails.
  const bootstrap = await bootstrapKey(store.core, master.keyPepper, {
    fromEnvironment: options.env["TURNPIKE_KEY"],
    now: Date.now(),
  });
  await directory.refresh();
  state.ready = true;
  const purge = setInterval(
    // A store that fails now is told to whoever asks for something; the next purge does it all.
    () => void deleteExpiredResponses(store.core, Date.now()).catch(() => undefined),
    PURGE_INTERVAL_MS,
  );
  purge.unref();
  closers.push(() => {
    state.ready = false;
    clearInterval(purge);
  });
  return { url, bootstrap };
}

interface Opened {
  readonly opened: OpenedConfig | undefined;
  readonly store: Store;
  /** What ends each part, in the order in which they were opened. */
  readonly closers: Closer[];
}

interface Parts {
  readonly config: Config | undefined;
  readonly configFile: string | undefined;
  readonly store: Store;
  readonly master: MasterKey;
  readonly keys: KeyRing;
  readonly directory: Directory;
  readonly signIn: SignIn;
  readonly credentials: CredentialRing;
  readonly market: MarketSource;
  readonly gateway: Gateway;
}

/** Everything behind the sockets. Each part gets only what it needs. */
async function openParts(options: AppOptions, { opened, store, closers }: Opened): Promise<Parts> {
  const { home, env, onNotice = () => undefined } = options;
  const config = opened?.config;
  const master = loadMasterKey(home, env["TURNPIKE_MASTER_KEY"]);
  const { core, records } = store;
  const log = createLog(env["LOG_LEVEL"]);
  const dialer = createDialer(() => market.trustedOrigins());
  closers.push(() => dialer.close());
  const governance = await openGovernance({ store, master, closers });
  const send: Send = (request) =>
    isDemoUrl(request.url) ? demoSend(request) : dialer.send(request);
  let timeouts = timeoutsOf(config, options);
  const health = new HealthTracker({
    tick: () => performance.now(),
    random: Math.random,
    parameters: DEFAULT_HEALTH_PARAMETERS,
  });
  closers.push(await watchHealth(health, { config, log }));
  const market: MarketSource = await openMarket({
    env,
    ownOrigins: originsOf(options.port ?? config?.server.port ?? DEFAULT_PORT),
    opened,
    configPlaces: configPlacesOf(options),
    catalogFile: join(home, "catalog.json"),
    adapterFile: join(home, ADAPTER_FILE),
    send,
    onNotice,
    onConfig: (next, file) => {
      timeouts = timeoutsOf(next, options);
      health.setParameters(healthParametersOf(market.current, options));
      tryCredentials(health, market.current);
      onNotice(appliedText(next, { file, atStart: config }));
    },
  });
  closers.push(() => market.close());
  await market.probe();
  health.setParameters(healthParametersOf(market.current, options));
  const { directory } = governance;
  const around = { store, master, directory, market, health, onNotice };
  const { credentials, marketFor } = await openOwnCredentials(around);
  const learning = (): Market["policy"]["learning"] => market.current.policy.learning;
  const gateway: Gateway = {
    keys: governance.keys,
    market: () => market.current,
    marketFor,
    send,
    writeRecord: createRecordWriter(records),
    responses: createStoredResponses(core, master, Date.now),
    log,
    timeouts: () => timeouts,
    health,
    retries: new RetryBudget(),
    sessions: createSessionMemory({ tick: () => performance.now() }),
    learner: await openLearner({ records, now: Date.now, settings: learning, log }),
    tick: () => performance.now(),
    random: Math.random,
  };
  const parts = { store, master, ...governance, credentials, market, gateway };
  return { config, configFile: opened?.file, ...parts };
}

interface Watching {
  readonly config: Config | undefined;
  readonly log: Log;
}

/** Tells the operator what changes, and the other gateways where there are any. Returns how to stop. */
async function watchHealth(health: HealthTracker, { config, log }: Watching): Promise<Closer> {
  health.onEvent((event) => {
    const { facts, words, needsPerson } = eventFacts(event);
    if (needsPerson) log.error(facts, words);
    else log.warn(facts, words);
  });
  const { valkey } = config ?? {};
  if (valkey === undefined) return () => undefined;
  const { url, channel } = valkey;
  const transport = await valkeyTransport({
    url,
    ...(channel !== undefined && { channel }),
    onConnected: (connected, reason) => {
      if (connected) log.info({}, "health is shared by Valkey");
      else log.warn({ reason }, "Valkey is gone: this gateway learns of health alone meanwhile");
    },
  });
  return shareHealth(health, transport, newId("gw_", Date.now()));
}

/** A key may have been renewed under its old name: each gets a try at once. */
function tryCredentials(health: HealthTracker, { providers }: Market): void {
  for (const { id, credentialId } of [...providers.values()].flat()) {
    health.applyRemote({ type: "credential-alive", credential: `${id}@${credentialId}` });
  }
}

const healthParametersOf = ({ policy }: Market, options: AppOptions): HealthParameters => ({
  ...DEFAULT_HEALTH_PARAMETERS,
  ...options.health,
  ...policy.health,
});

const configPlacesOf = ({ home, configPlaces }: AppOptions): readonly string[] =>
  configPlaces ?? [join(home, "turnpike.yaml")];

interface Applied {
  /** Absent: the file is gone. */
  readonly file: string | undefined;
  readonly atStart: Config | undefined;
}

/** What a change of the settings did, and what it will do at the next start only. */
function appliedText(next: Config, { file, atStart }: Applied): string {
  const done =
    file === undefined
      ? "No settings file any more: defaults applied"
      : `Settings applied from ${file}`;
  const pending = (["server", "limits"] as const).filter(
    (name) => JSON.stringify(next[name]) !== JSON.stringify(atStart?.[name] ?? {}),
  );
  return pending.length === 0
    ? `${done}.`
    : `${done}; ${pending.join(" and ")}: at the next start.`;
}

interface Reported extends Parts {
  readonly bootstrap: BootstrapKey;
}

function startupReport({ home }: AppOptions, parts: Reported): Omit<StartupReport, "readyMs"> {
  const { market, bootstrap, configFile, signIn } = parts;
  const { catalog } = market.current;
  return {
    home,
    providers: market.discovered,
    local: market.local,
    bootstrap,
    models: catalog.models.length,
    endpoints: catalog.models.reduce((sum, { id }) => sum + catalog.endpointsOf(id).length, 0),
    ...(configFile !== undefined && { configFile }),
    ...(signIn.setupToken !== undefined && { setupToken: signIn.setupToken }),
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
  readonly master: MasterKey;
  readonly signIn: SignIn;
  readonly directory: Directory;
  readonly credentials: CredentialRing;
  readonly state: { readonly ready: boolean };
}

/** The directory is looked at twice a second: after so long the store is down, not slow. */
const STORE_SILENT_MS = 10_000;

function addRoutes(server: FastifyInstance, deps: RouteDeps): void {
  const { gateway, keys, store, master, directory, signIn, credentials, state } = deps;
  const clock = (): { now: number; tick: number } => ({ now: Date.now(), tick: performance.now() });
  addInferenceRoutes(server, gateway, clock);
  addModelRoutes(server, gateway);
  addResponseRoutes(server, { keys, responses: gateway.responses });
  addAccountRoutes(server, { keys, findGeneration: (id) => findGeneration(store.records, id) });
  const { records } = store;
  const giveFeedback = createFeedback({ records, master, learner: gateway.learner, now: Date.now });
  addFeedbackRoute(server, { keys, giveFeedback });
  addHealthRoutes(server, { keys, health: gateway.health, credentials });
  addRouteRoute(server, gateway, Date.now);
  signIn.addRoutes(server);
  const storeAnswers = (): boolean => Date.now() - directory.knownAt() < STORE_SILENT_MS;
  addOperationsRoutes(server, { isReady: () => state.ready, storeAnswers, version: VERSION });
}

const IDLE_SWEEP_MS = 100;

/** A connection whose answer ends while the server closes would be kept alive, and the process with it. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => server.server.closeIdleConnections(), IDLE_SWEEP_MS);
  await server.close();
  clearInterval(sweep);
}
