import type { FastifyInstance } from "fastify";

import { GatewayError } from "#canonical/failure.ts";

interface Deps {
  /** See `payment-view`. */
  readonly findPayment: (id: string) => Promise<object | undefined>;
}

/** Adds what a payer can read of a payment: its id is a secret of its own, given with the answer. */
export function addPaymentRoutes(server: FastifyInstance, { findPayment }: Deps): void {
  server.get("/v1/payments/:id", async (request) => {
    const { id } = request.params as { id: string };
    const data = await findPayment(id);
    if (data === undefined) {
      throw new GatewayError({
        code: "not_found",
        field: "id",
        message: `There is no payment "${id.slice(0, 60)}". The id is the x-payment-id header of a paid answer.`,
      });
    }
    return { data };
  });
}
