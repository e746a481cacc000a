import type { FastifyInstance } from "fastify";
import { addAdminApi } from "#app/add-admin-api.ts";
import type { OwnCredentials } from "#app/open-own-credentials.ts";
import type { Alerts } from "#app/open-alerts.ts";
import type { Payments } from "#app/open-payments.ts";
import type { Privacy } from "#app/open-privacy.ts";
import type { SignIn } from "#app/open-sign-in.ts";
import type { Directory } from "#governance/directory.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import { budgetUsage } from "#ledger/budget-usage.ts";
import type { Credits } from "#ledger/credits.ts";
import type { AdminRate } from "#http/admin/rate-limit.ts";
import { addAccountRoutes } from "#http/ingress/account.ts";
import { addCreditsRoute } from "#http/ingress/credits.ts";
import { addDiscoveryRoutes } from "#http/ingress/discovery.ts";
import { addFeedbackRoute } from "#http/ingress/feedback.ts";
import { addGatePayRoutes } from "#http/ingress/gate-pay.ts";
import { addHealthRoutes } from "#http/ingress/health.ts";
import { addInferenceRoutes } from "#http/ingress/inference.ts";
import { addModelRoutes } from "#http/ingress/models.ts";
import { addOperationsRoutes } from "#http/ingress/operations.ts";
import { addPaymentRoutes } from "#http/ingress/payments.ts";
import { addTopUpRoute } from "#http/ingress/top-up.ts";
import { addResponseRoutes } from "#http/ingress/responses.ts";
import { addRouteRoute } from "#http/ingress/route.ts";
import { describeLimits } from "#limits/describe-limits.ts";
import { VERSION } from "#lib/version.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { createFeedback } from "#pipeline/feedback.ts";
import type { GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import { paymentView } from "#payments/payment-view.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { findPayment } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import type { RequestMetrics } from "#telemetry/request-metrics.ts";
import { findGeneration } from "#telemetry/read-record.ts";

export interface RouteDeps {
  readonly gateway: Gateway;
  readonly keys: KeyRing;
  readonly store: Store;
  readonly master: MasterKey;
  readonly privacy: Privacy;
  readonly signIn: SignIn;
  readonly directory: Directory;
  readonly own: OwnCredentials;
  readonly credits: Credits;
  readonly gatePay: GatePayDesk | undefined;
  readonly x402: Payments;
  readonly alerts: Alerts;
  readonly metrics: RequestMetrics;
  readonly state: { readonly ready: boolean };
  readonly adminRate: AdminRate | undefined;
}

/** The directory is looked at twice a second: after so long the store is down, not slow. */
const STORE_SILENT_MS = 10_000;

/** All that the gateway answers to. */
export function addRoutes(server: FastifyInstance, deps: RouteDeps): void {
  const { gateway, keys, store, master, privacy, directory, signIn, own, credits, state } = deps;
  const { alerts, x402, metrics, gatePay } = deps;
  const clock = (): { now: number; tick: number } => ({ now: Date.now(), tick: performance.now() });
  addInferenceRoutes(server, gateway, clock);
  addModelRoutes(server, gateway);
  addResponseRoutes(server, { keys, responses: gateway.responses });
  addAccountRoutes(server, {
    keys,
    limitsOf: (access, id) => describeLimits(gateway.limiter, access, id),
    findGeneration: (id) => findGeneration(store.records, id),
  });
  addTopUpRoute(server, { gateway, credits });
  addCreditsRoute(server, {
    gateway,
    credits,
    usageOf: (budget, options) => budgetUsage(store, budget, options),
    now: Date.now,
  });
  addPaymentRoutes(server, {
    findPayment: async (id) => {
      const row = await findPayment(store.core, id);
      return row && paymentView(row);
    },
  });
  addDiscoveryRoutes(server, () => (x402.desk() === undefined ? undefined : x402.settings));
  if (gatePay !== undefined) addGatePayRoutes(server, { keys, desk: gatePay });
  const { records } = store;
  const { envelope } = privacy;
  const giveFeedback = createFeedback({
    records,
    envelope,
    learner: gateway.learner,
    now: Date.now,
  });
  addFeedbackRoute(server, { keys, giveFeedback });
  addHealthRoutes(server, {
    keys,
    health: gateway.health,
    credentials: own.credentials,
    metrics,
    contentCounts: privacy.contentCounts,
    directory,
  });
  addRouteRoute(server, gateway, Date.now);
  signIn.addRoutes(server);
  const { adminRate: rate } = deps;
  const parts = { store, master, privacy, signIn, directory, own, alerts, x402, gatePay, rate };
  addAdminApi(server, parts);
  const storeAnswers = (): boolean => directory.age() < STORE_SILENT_MS;
  addOperationsRoutes(server, { isReady: () => state.ready, storeAnswers, version: VERSION });
}

const IDLE_SWEEP_MS = 100;

/** A connection whose answer ends while the server closes would be kept alive, and the process with it. */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => server.server.closeIdleConnections(), IDLE_SWEEP_MS);
  await server.close();
  clearInterval(sweep);
}
