import type { FastifyInstance } from "fastify";

import type { Alerts } from "#app/open-alerts.ts";
import type { OwnCredentials } from "#app/open-own-credentials.ts";
import type { Payments } from "#app/open-payments.ts";
import type { Privacy } from "#app/open-privacy.ts";
import type { SignIn } from "#app/open-sign-in.ts";
import type { Directory } from "#governance/directory.ts";
import type { ReadInvoice } from "#governance/invoices.ts";
import { conflict } from "#governance/checks.ts";
import { explainPolicyAt } from "#governance/explain-policy.ts";
import { addAdminRoutes } from "#http/admin/add-admin-routes.ts";
import { ADMIN_ROUTES } from "#http/admin/admin-routes.ts";
import { DEFAULT_ADMIN_RATE, type AdminRate } from "#http/admin/rate-limit.ts";
import { invoiceOf } from "#ledger/invoice.ts";
import { openApiDocument } from "#http/admin/openapi.ts";
import type { GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import type { PaymentRow } from "#payments/search-payments.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";
import { openReports } from "#telemetry/open-reports.ts";

export interface AdminApiParts {
  readonly store: Pick<Store, "core" | "reports">;
  readonly master: MasterKey;
  readonly signIn: Pick<SignIn, "actorOf" | "forgetActors">;
  readonly directory: Pick<Directory, "refresh" | "tables">;
  readonly privacy: Pick<Privacy, "desk">;
  readonly own: Pick<OwnCredentials, "desk" | "refresh">;
  readonly alerts: Pick<Alerts, "outbox">;
  readonly x402: Pick<Payments, "reconcileOne">;
  readonly gatePay: GatePayDesk | undefined;
  readonly rate: AdminRate | undefined;
}

/** Adds `/api/*` as the table of routes has it. */
export function addAdminApi(server: FastifyInstance, parts: AdminApiParts): void {
  const { store, master, signIn, directory, own, rate = DEFAULT_ADMIN_RATE } = parts;
  const api = {
    core: store.core,
    authenticate: signIn.actorOf,
    onChange: async () => {
      signIn.forgetActors();
      // The change is made; a store that fails now fails the next look, too, and that is told.
      await directory
        .refresh()
        .then(own.refresh)
        .catch(() => undefined);
    },
    parts: {
      pepper: master.keyPepper,
      credentials: own.desk,
      reports: openReports(store.reports),
      readInvoice: (asked: Parameters<ReadInvoice>[0]) =>
        invoiceOf({ core: store.core, records: store.reports }, asked),
      outbox: parts.alerts.outbox,
      privacy: parts.privacy.desk,
      gatePay: parts.gatePay,
      reconcilePayment: reconcilerOf(parts),
      explainPolicy: async (place: Parameters<typeof explainPolicyAt>[0]) => {
        await directory.refresh();
        return explainPolicyAt(place, directory.tables);
      },
    },
    sealer: master,
    now: Date.now,
    rate,
  };
  addAdminRoutes(server, api, ADMIN_ROUTES);
  // Made when it is first asked for: a gateway that nobody administers does not carry it.
  let document: string | undefined;
  server.get("/api/openapi.json", (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(ADMIN_ROUTES));
    return reply.type("application/json; charset=utf-8").send(document);
  });
}

/** Each kind of payment is asked about where it was made. */
const reconcilerOf =
  ({ x402, gatePay }: Pick<AdminApiParts, "x402" | "gatePay">) =>
  async (row: PaymentRow): Promise<void> => {
    const isOrder = row.kind === "gate-pay";
    const reconcile = isOrder ? gatePay?.reconcileOne : x402.reconcileOne;
    if (reconcile !== undefined) return reconcile(row);
    const section = isOrder ? "payments.gatePay" : "payments.x402";
    throw conflict("payments", `This gateway has no ${section} in its settings: it cannot ask.`);
  };
