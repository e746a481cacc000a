import { listOf } from "@turnpike/contract/api/conventions.ts";
import {
  newOrderSchema,
  newPayoutSchema,
  orderParams,
  orderSchema,
  payoutListQuery,
  payoutSchema,
} from "@turnpike/contract/api/gate-pay.ts";

import { GatewayError } from "#canonical/failure.ts";
import { writeAudit } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfOrganization } from "#governance/places.ts";
import { adminRoute, type AdminParts } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";
import { listPayouts, orderView, payoutView } from "#payments/gate-pay/order-views.ts";

const ofCredits = {
  group: "Credits",
  params: orderParams,
  place: ({ params, deed }: { params: { organization_id: string }; deed: Deed }) =>
    placeOfOrganization(deed.core, params.organization_id),
} as const;

/** Buying credit by Gate Pay, and giving back what is left of it. */
export const GATE_PAY_ROUTES = [
  adminRoute({
    ...ofCredits,
    method: "POST",
    path: "/api/credits/:organization_id/orders",
    summary: "Orders credit by Gate Pay: a QR code and a link to pay by.",
    action: "credits.buy",
    body: newOrderSchema,
    response: orderSchema,
    status: 201,
    handle: async ({ params, body, deed, parts, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const desk = deskOf(parts);
      const asked = { organizationId, usd: body.amount_usd };
      await tell(deed, { ...asked, action: "credits.order" });
      const { userId, via } = deed.actor;
      const order = { ...asked, projectId: null, buyer: userId ?? via.id, idempotencyKey };
      return { body: orderView(await desk.order(order).catch(askAgain)) };
    },
  }),
  adminRoute({
    ...ofCredits,
    method: "GET",
    path: "/api/credits/:organization_id/payouts",
    summary: "Lists what of orders was given back, the newest first.",
    action: "credits.read",
    query: payoutListQuery,
    response: listOf(payoutSchema),
    handle: ({ params, query, deed }) =>
      pageOf(query, {
        rows: ({ after, limit }) =>
          listPayouts(deed.core, { organizationId: params.organization_id, after, limit }),
        idOf: ({ id }) => id,
        view: payoutView,
      }),
  }),
  adminRoute({
    ...ofCredits,
    method: "POST",
    path: "/api/credits/:organization_id/payouts",
    summary: "Gives back by Gate Pay what of an order is unspent. Needs an Idempotency-Key.",
    action: "credits.grant",
    body: newPayoutSchema,
    response: payoutSchema,
    status: 201,
    handle: async ({ params, body, deed, parts, idempotencyKey }) => {
      const { organization_id: organizationId } = params;
      const { payment_id: paymentId, amount_usd: usd } = body;
      const desk = deskOf(parts);
      await tell(deed, { organizationId, usd, action: "credits.payout", memo: paymentId });
      const refund = { organizationId, paymentId, usd, idempotencyKey };
      const payout = payoutView(await desk.refund(refund));
      const done = { usd: payout.amount_usd, memo: paymentId, state: payout.state };
      await tell(deed, { organizationId, action: "credits.payout.done", ...done });
      return { body: payout };
    },
  }),
];

function deskOf({ gatePay }: AdminParts): NonNullable<AdminParts["gatePay"]> {
  if (gatePay !== undefined) return gatePay;
  throw new GatewayError({
    code: "conflict",
    message: "Gate Pay is not configured here: payments.gatePay in turnpike.yaml.",
  });
}

/** What failed in a way that nobody knows is kept under its key; this may be sent again. */
function askAgain(error: unknown): never {
  if (!(error instanceof GatewayError) || error.failure.code !== "payment_pending") throw error;
  throw new GatewayError({ ...error.failure, code: "conflict" });
}

interface Told {
  readonly organizationId: string;
  readonly action: string;
  readonly usd: string | undefined;
  readonly memo?: string;
  readonly state?: string;
}

/** Before it is done, for Gate Pay cannot be a part of a transaction; and what became of it. */
const tell = (deed: Deed, { organizationId, action, usd, ...more }: Told): Promise<void> =>
  deed.core.transaction().execute((transaction) =>
    writeAudit(transaction, deed, {
      action,
      target: { kind: "credit", id: organizationId },
      organizationId,
      after: { kind: "gate-pay", amount_usd: usd, ...more },
    }),
  );
