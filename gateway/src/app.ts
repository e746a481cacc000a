import { join } from "node:path";
import { openAlerts, type Alerts } from "#app/open-alerts.ts";
import { hookSecretsOf, hookSigner } from "#app/hook-signer.ts";
import { openRecords } from "#app/open-records.ts";
import { openMoney } from "#app/open-money.ts";
import { openOwnCredentials, type OwnCredentials } from "#app/open-own-credentials.ts";
import type { AppOptions, StartupReport } from "#app/app-options.ts";
import { addRoutes, closeServer } from "#app/add-routes.ts";
import { appliedText, healthParametersOf, timeoutsOf } from "#app/settings.ts";
import { watchHealth } from "#app/watch-health.ts";
import { openGatePayDesk } from "#app/open-gate-pay.ts";
import {
  openPayments,
  paymentOrigins,
  paymentSettings,
  type Payments,
} from "#app/open-payments.ts";
import { openLimits } from "#app/open-limits.ts";
import { openPrivacy, type Privacy } from "#app/open-privacy.ts";
import { openGovernance } from "#app/open-governance.ts";
import type { SignIn } from "#app/open-sign-in.ts";
import { bootstrapKey, type BootstrapKey } from "#governance/create-key.ts";
import type { Directory } from "#governance/directory.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import { HealthTracker } from "#health/health-tracker.ts";
import { DEFAULT_HEALTH_PARAMETERS } from "#health/parameters.ts";
import type { Credits } from "#ledger/credits.ts";
import { createServer } from "#http/server.ts";
import { isDemoUrl } from "#demo/demo-provider.ts";
import { demoSend } from "#demo/demo-send.ts";
import type { Config } from "#config/read-config.ts";
import { openConfig, type OpenedConfig } from "#market/market-config.ts";
import { openMarket, type MarketSource } from "#market/market-source.ts";
import { gatePaySettings } from "#payments/gate-pay/gate-pay-settings.ts";
import type { GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { openLearner } from "#pipeline/learner.ts";
import { RetryBudget } from "#pipeline/retry-budget.ts";
import { ADAPTER_FILE } from "#market/router-adapter.ts";
import type { Market } from "#routing/market.ts";
import { createSessionMemory } from "#routing/session-memory.ts";
import { instanceIdOf } from "#governance/secret-token.ts";
import { loadMasterKey, type MasterKey } from "#privacy/master-key.ts";
import { DATABASE_VARIABLE, openStore, type Store } from "#store/store.ts";
import { deleteExpiredResponses } from "#store/stored-responses.ts";
import { createLog, type Log } from "#telemetry/log.ts";
import type { RequestMetrics } from "#telemetry/request-metrics.ts";
import type { Send } from "#upstream/answer.ts";
import { createDialer } from "#upstream/dialer.ts";

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
    trustedProxies: config?.server.trustedProxies,
    log: gateway.log,
  });
  if (options.onRoute !== undefined) server.addHook("onRoute", options.onRoute);
  addRoutes(server, { ...parts, state, adminRate: options.adminRate });
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
  readonly own: OwnCredentials;
  readonly credits: Credits;
  readonly gatePay: GatePayDesk | undefined;
  readonly privacy: Privacy;
  readonly x402: Payments;
  readonly alerts: Alerts;
  readonly metrics: RequestMetrics;
  readonly market: MarketSource;
  readonly gateway: Gateway;
}

/** Everything behind the sockets. Each part gets only what it needs. */
async function openParts(options: AppOptions, { opened, store, closers }: Opened): Promise<Parts> {
  const { home, env, recheckMs, onNotice = () => undefined } = options;
  const { config, file: configFile } = opened ?? {};
  const master = loadMasterKey(home, env["TURNPIKE_MASTER_KEY"]);
  const log = createLog(env["LOG_LEVEL"]);
  const paying = payingOf(config);
  const dialer = createDialer(withOrigins(() => market.trustedOrigins(), paying));
  closers.push(() => dialer.close());
  const governance = await openGovernance({ store, master, auth: config?.auth, log, closers });
  const send = withDemo(dialer.send);
  let settings = changingSettings(config, options);
  const health = newHealthTracker();
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
      settings = changingSettings(next, options);
      health.setParameters(healthParametersOf(market.current, options));
      tryCredentials(health, market.current);
      onNotice(appliedText(next, { file, atStart: config }));
    },
  });
  closers.push(() => market.close());
  await market.probe();
  health.setParameters(healthParametersOf(market.current, options));
  const base = { home, store, master, log, closers };
  const { alerts, money, records, privacy } = await openBooks({ ...base, config, health });
  const around = { ...governance, store, ...privacy, market, health, send, onNotice, recheckMs };
  const own = await openOwnCredentials(around);
  const paid = await openPaying(paying, { ...base, ...around, ...money, ...alerts });
  const gateway: Gateway = {
    instanceId: instanceIdOf(master.keyPepper),
    keys: governance.keys,
    get payments() {
      return paid.x402.desk();
    },
    ...money,
    limiter: await openLimits({ config, log, closers }),
    market: () => market.current,
    marketFor: own.marketFor,
    send,
    writeRecord: records.writeRecord,
    emitAlert: alerts.emit,
    ...privacy.keeping,
    log,
    timeouts: () => settings.timeouts,
    health,
    learner: await openLearnerOf(store, market, log),
    ...ownParts(() => settings.hookSecrets),
  };
  const kept = { own, ...paid, credits: money.credits, privacy, alerts, metrics: records.metrics };
  return { config, configFile, store, master, ...governance, ...kept, market, gateway };
}

const openLearnerOf = ({ records }: Store, market: MarketSource, log: Log) =>
  openLearner({
    records,
    now: Date.now,
    settings: () => market.current.policy.learning,
    log,
  });

interface Keeping {
  readonly home: string;
  readonly store: Store;
  readonly master: MasterKey;
  readonly log: Log;
  readonly closers: Closer[];
  readonly config: Config | undefined;
  readonly health: HealthTracker;
}

/** What is written down: alerts, money, requests, and the opt-in texts. */
async function openBooks(keeping: Keeping) {
  const alerts = openAlerts(keeping);
  const money = await openMoney({ ...keeping, emitAlert: alerts.emit });
  const records = await openRecords({ ...keeping, alerts });
  return {
    alerts,
    money,
    records,
    privacy: await openPrivacy({ ...keeping, emitAlert: alerts.emit }),
  };
}

/** How what is used may be paid from outside. */
const payingOf = (config: Config | undefined) => ({
  x402: paymentSettings(config),
  gatePay: gatePaySettings(config?.payments),
});

type Paying = ReturnType<typeof payingOf>;

const openPaying = async (
  { x402, gatePay }: Paying,
  opened: Parameters<typeof openPayments>[1],
) => ({
  x402: await openPayments(x402, opened),
  gatePay: openGatePayDesk(gatePay, opened),
});

/** Asked for each request: a set is made when the market's own is another one. */
function withOrigins(
  ofMarket: () => ReadonlySet<string>,
  { x402, gatePay }: Paying,
): () => ReadonlySet<string> {
  const others = [...paymentOrigins(x402), ...(gatePay ? [gatePay.baseUrl.origin] : [])];
  let last: ReadonlySet<string> | undefined;
  let all: ReadonlySet<string> = new Set();
  return () => {
    const now = ofMarket();
    if (now !== last) [last, all] = [now, new Set([...now, ...others])];
    return all;
  };
}

const withDemo =
  (send: Send): Send =>
  (request) =>
    isDemoUrl(request.url) ? demoSend(request) : send(request);

const newHealthTracker = (): HealthTracker =>
  new HealthTracker({
    tick: () => performance.now(),
    random: Math.random,
    parameters: DEFAULT_HEALTH_PARAMETERS,
  });

/** Of the settings, what changes while the gateway runs. */
const changingSettings = (config: Config | undefined, options: AppOptions) => ({
  timeouts: timeoutsOf(config, options),
  hookSecrets: hookSecretsOf(config),
});

/** What a process has by itself. */
const ownParts = (hookSecrets: Parameters<typeof hookSigner>[0]) => ({
  signHook: hookSigner(hookSecrets, Date.now),
  retries: new RetryBudget(),
  sessions: createSessionMemory({ tick: () => performance.now() }),
  tick: () => performance.now(),
  random: Math.random,
});

/** A key may have been renewed under its old name: each gets a try at once. */
function tryCredentials(health: HealthTracker, { providers }: Market): void {
  for (const { id, credentialId } of [...providers.values()].flat()) {
    health.applyRemote({ type: "credential-alive", credential: `${id}@${credentialId}` });
  }
}

const configPlacesOf = ({ home, configPlaces }: AppOptions): readonly string[] =>
  configPlaces ?? [join(home, "turnpike.yaml")];

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
