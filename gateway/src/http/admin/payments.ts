import {
  paymentExportQuery,
  paymentListQuery,
  paymentListSchema,
  paymentParams,
  paymentSchema,
  revenueQuery,
  revenueSchema,
} from "@turnpike/contract/api/payments.ts";

import { invalidRequest } from "#canonical/failure.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfOrganization } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { csv, csvAnswer } from "#http/admin/csv-answer.ts";
import { pageOf } from "#http/admin/page.ts";
import { reconcileAudited } from "#payments/reconcile-audited.ts";
import {
  allPayments,
  getPayment,
  paymentAdminView,
  placeOfPayment,
  searchPayments,
  type PaymentRow,
} from "#payments/search-payments.ts";
import { revenueOf } from "#payments/revenue.ts";
import { csvLine } from "#telemetry/csv.ts";

const group = "Payments";

const ofPayment = {
  group,
  params: paymentParams,
  response: paymentSchema,
  place: ({ params, deed }: { params: { payment_id: string }; deed: Deed }) =>
    placeOfPayment(deed.core, params.payment_id),
} as const;

const ofOrganization = {
  group,
  method: "GET",
  action: "payments.read",
  noun: "organization",
  place: ({ query, deed }: { query: { organization_id: string }; deed: Deed }) =>
    placeOfOrganization(deed.core, query.organization_id),
} as const;

const COLUMNS = [
  "id",
  "created_at",
  "kind",
  "state",
  "network",
  "asset",
  "amount",
  "amount_usd",
  "payer",
  "owner",
  "pay_to",
  "transaction",
  "request_id",
  "reason",
] as const;

async function* linesOf(rows: AsyncIterable<PaymentRow>): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  for await (const row of rows) {
    const view = paymentAdminView(row);
    yield csvLine(COLUMNS.map((name) => view[name]));
  }
}

const REVENUE_DAYS = 366;
const DAY_MS = 24 * 60 * 60 * 1_000;

function checkSpan({ from, to }: { readonly from: string; readonly to: string }): void {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1) throw invalidRequest("to", "to must not be before from.");
  if (days > REVENUE_DAYS) throw invalidRequest("to", `At most ${REVENUE_DAYS} days are told.`);
}

/** What was paid in from outside, and what became of it. */
export const PAYMENT_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/payments",
    group,
    summary: "Lists payments, the newest first.",
    action: "payments.read",
    query: paymentListQuery,
    response: paymentListSchema,
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => searchPayments(deed, { ...query, ...page, reach }),
        idOf: ({ id }) => id,
        view: paymentAdminView,
      }),
  }),
  adminRoute({
    ...ofOrganization,
    path: "/api/payments.csv",
    summary: "The payments of an organization as CSV.",
    query: paymentExportQuery,
    ...csv,
    handle: async ({ query, deed }) => {
      const { organization_id: organizationId, ...filter } = query;
      return csvAnswer("payments", linesOf(allPayments(deed, { organizationId, ...filter })));
    },
  }),
  adminRoute({
    ...ofPayment,
    method: "GET",
    path: "/api/payments/:payment_id",
    summary: "Shows a payment.",
    action: "payments.read",
    handle: async ({ params, deed }) => ({
      body: paymentAdminView(await getPayment(deed, params.payment_id)),
    }),
  }),
  adminRoute({
    ...ofPayment,
    method: "POST",
    path: "/api/payments/:payment_id/reconcile",
    summary:
      "Asks the chain about a payment now, and books what it says; gives the payment after it.",
    action: "payments.reconcile",
    handle: async ({ params, deed, parts }) => {
      const row = await reconcileAudited(deed, params.payment_id, parts.reconcilePayment);
      return { body: paymentAdminView(row) };
    },
  }),
  adminRoute({
    ...ofOrganization,
    path: "/api/reports/revenue",
    summary:
      "What was paid in, charged and taken back, by day, network or asset, and what is outstanding.",
    query: revenueQuery,
    response: revenueSchema,
    handle: async ({ query, deed }) => {
      checkSpan(query);
      const { organization_id: organizationId, from, to, by } = query;
      return { body: await revenueOf(deed.core, { organizationId, from, to, by }) };
    },
  }),
];
