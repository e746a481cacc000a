import { listOf } from "@turnpike/contract/api/conventions.ts";
import {
  adjustmentSchema,
  balanceSchema,
  bookingSchema,
  creditsParams,
  grantSchema,
  invoiceQuery,
  invoiceSchema,
  refundSchema,
  transferListQuery,
  transferSchema,
  type InvoiceView,
} from "@turnpike/contract/api/credits.ts";

import { showCredits, transfersOf, transferView } from "#governance/credit-views.ts";
import { adjustCredits, grantCredits, refundCredits, type Booked } from "#governance/credits.ts";
import type { Deed } from "#governance/deed.ts";
import { monthlyInvoice } from "#governance/invoices.ts";
import { placeOfOrganization } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { csv, csvAnswer } from "#http/admin/csv-answer.ts";
import { pageOf, seqOf } from "#http/admin/page.ts";
import { csvLine } from "#telemetry/csv.ts";

const ofCredits = {
  group: "Credits",
  params: creditsParams,
  place: ({ params, deed }: { params: { organization_id: string }; deed: Deed }) =>
    placeOfOrganization(deed.core, params.organization_id),
} as const;

const ofBooking = {
  ...ofCredits,
  method: "POST",
  action: "credits.grant",
  response: bookingSchema,
  status: 201,
} as const;

const bookingOf = (
  organizationId: string,
  kind: "grant" | "adjustment" | "refund",
  { amountUsd, alreadyBooked }: Booked,
) => ({
  body: {
    object: "booking" as const,
    organization_id: organizationId,
    kind,
    amount_usd: amountUsd,
    already_booked: alreadyBooked,
  },
});

const INVOICE_COLUMNS = [
  "kind",
  "project_id",
  "project",
  "model",
  "requests",
  "amount_usd",
] as const;

async function* linesOf({ lines, total_usd: total }: InvoiceView): AsyncGenerator<string> {
  yield csvLine(INVOICE_COLUMNS);
  // Amounts below 0 are numbers, not the beginning of a formula.
  for (const line of lines) {
    const texts = INVOICE_COLUMNS.slice(0, -1).map((name) => line[name]);
    yield `${csvLine(texts).trimEnd()},${line.amount_usd}\r\n`;
  }
  yield `total,,,,,${total}\r\n`;
}

export const CREDIT_ROUTES = [
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id",
    summary: "Shows what an organization has left, and what is held.",
    action: "credits.read",
    response: balanceSchema,
    handle: async ({ params, deed }) => ({
      body: await showCredits(deed, params.organization_id),
    }),
  }),
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id/transfers",
    summary: "Lists what was booked, the newest first.",
    action: "credits.read",
    query: transferListQuery,
    response: listOf(transferSchema),
    handle: ({ params, query, deed }) =>
      pageOf(query, {
        rows: ({ after, limit }) =>
          transfersOf(deed, {
            organizationId: params.organization_id,
            limit,
            ...(after !== undefined && { beforeSeq: seqOf(after) }),
          }),
        idOf: ({ seq }) => String(seq),
        view: transferView,
      }),
  }),
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id/invoice",
    summary:
      "What a month cost, by project and model; the total is the ledger's, to the nano-dollar.",
    action: "credits.read",
    query: invoiceQuery,
    response: invoiceSchema,
    handle: async ({ params, query, deed, parts }) => ({
      body: await monthlyInvoice(deed, parts.readInvoice, {
        organizationId: params.organization_id,
        ...query,
      }),
    }),
  }),
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id/invoice.csv",
    summary: "The same as CSV, the total in its last line.",
    action: "credits.read",
    query: invoiceQuery,
    ...csv,
    handle: async ({ params, query, deed, parts }) => {
      const asked = { organizationId: params.organization_id, ...query };
      const invoice = await monthlyInvoice(deed, parts.readInvoice, asked);
      return csvAnswer(`invoice-${query.month}`, linesOf(invoice));
    },
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/grants",
    summary: "Gives credits. Needs an Idempotency-Key.",
    body: grantSchema,
    handle: async ({ params, body, deed, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, memo, expires_at: end } = body;
      const expiresAt = end === undefined ? undefined : Date.parse(end);
      const booking = { organizationId, idempotencyKey, amountUsd, memo, expiresAt };
      return bookingOf(organizationId, "grant", await grantCredits(deed, booking));
    },
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/adjustments",
    summary: "Corrects a balance, up or down. Needs an Idempotency-Key.",
    body: adjustmentSchema,
    handle: async ({ params, body, deed, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, memo, direction } = body;
      const booking = { organizationId, idempotencyKey, amountUsd, memo, direction };
      const booked = await adjustCredits(deed, booking);
      return bookingOf(organizationId, "adjustment", booked);
    },
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/refunds",
    summary: "Gives back what a request was charged. Needs an Idempotency-Key.",
    body: refundSchema,
    handle: async ({ params, body, deed, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, request_id: requestId } = body;
      const booking = { organizationId, idempotencyKey, amountUsd, requestId };
      return bookingOf(organizationId, "refund", await refundCredits(deed, booking));
    },
  }),
];
