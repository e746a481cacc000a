import { listOf } from "@turnpike/contract/api/conventions.ts";
import {
  adjustmentSchema,
  balanceSchema,
  bookingSchema,
  creditsParams,
  grantSchema,
  refundSchema,
  transferListQuery,
  transferSchema,
} from "@turnpike/contract/api/credits.ts";

import { timeText } from "#governance/checks.ts";
import { adjustCredits, grantCredits, refundCredits, type Booked } from "#governance/credits.ts";
import type { Deed } from "#governance/deed.ts";
import { getOrganization } from "#governance/organizations.ts";
import { placeOfOrganization } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf, seqOf } from "#http/admin/page.ts";
import { formatSignedUsd, formatUsd } from "#lib/money.ts";

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

export const CREDIT_ROUTES = [
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id",
    summary: "Shows what an organization has left, and what is held.",
    action: "credits.read",
    response: balanceSchema,
    handle: async ({ params, deed, parts }) => {
      const { id, plan } = await getOrganization(deed, params.organization_id);
      const { balance, held } = await parts.credits.balance(id);
      return {
        body: {
          object: "credits" as const,
          organization_id: id,
          plan,
          balance_usd: formatSignedUsd(balance),
          held_usd: formatUsd(held),
        },
      };
    },
  }),
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id/transfers",
    summary: "Lists what was booked, the newest first.",
    action: "credits.read",
    query: transferListQuery,
    response: listOf(transferSchema),
    handle: ({ params, query, parts }) =>
      pageOf(query, {
        rows: ({ after, limit }) =>
          parts.credits.transfers({
            organizationId: params.organization_id,
            limit,
            ...(after !== undefined && { beforeSeq: seqOf(after) }),
          }),
        idOf: ({ seq }) => String(seq),
        view: (row) => ({
          object: "transfer" as const,
          seq: row.seq,
          id: row.id,
          at: timeText(row.at),
          kind: row.kind,
          debit_account: row.debit_account,
          credit_account: row.credit_account,
          amount_usd: formatUsd(BigInt(row.amount)),
          request_id: row.request_id,
          project_id: row.project_id,
          memo: row.memo,
        }),
      }),
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/grants",
    summary: "Gives credits. Needs an Idempotency-Key.",
    body: grantSchema,
    handle: async ({ params, body, deed, parts, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, memo, expires_at: end } = body;
      const expiresAt = end === undefined ? undefined : Date.parse(end);
      const booking = { organizationId, idempotencyKey, amountUsd, memo, expiresAt };
      return bookingOf(organizationId, "grant", await grantCredits(deed, parts.credits, booking));
    },
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/adjustments",
    summary: "Corrects a balance, up or down. Needs an Idempotency-Key.",
    body: adjustmentSchema,
    handle: async ({ params, body, deed, parts, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, memo, direction } = body;
      const booking = { organizationId, idempotencyKey, amountUsd, memo, direction };
      const booked = await adjustCredits(deed, parts.credits, booking);
      return bookingOf(organizationId, "adjustment", booked);
    },
  }),
  adminRoute({
    ...ofBooking,
    path: "/api/credits/:organization_id/refunds",
    summary: "Gives back what a request was charged. Needs an Idempotency-Key.",
    body: refundSchema,
    handle: async ({ params, body, deed, parts, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { amount_usd: amountUsd, request_id: requestId } = body;
      const booking = { organizationId, idempotencyKey, amountUsd, requestId };
      return bookingOf(organizationId, "refund", await refundCredits(deed, parts.credits, booking));
    },
  }),
];
