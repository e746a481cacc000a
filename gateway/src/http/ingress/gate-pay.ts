import type { FastifyInstance } from "fastify";

import { invalidRequest } from "#canonical/failure.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import type { GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import { paymentView } from "#payments/payment-view.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import { readBody } from "#pipeline/read-body.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly desk: Pick<GatePayDesk, "order" | "notified">;
}

const NOTIFICATION_LIMIT = 64 * 1024;

/** Adds how a key buys credit for its organization by Gate Pay, and what Gate Pay says of orders. */
export function addGatePayRoutes(server: FastifyInstance, { keys, desk }: Deps): void {
  server.post("/v1/payments/gate-pay/orders", async (request, reply) => {
    const { organization, project, key } = keys.authenticate(credentialOf(request), request.ip);
    const { usd, ...others } = readBody(bytesOf(request.body)).object;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) {
      throw invalidRequest(unknown, 'The body is {"usd": "25"} and nothing else.');
    }
    const { "idempotency-key": idempotencyKey } = request.headers;
    const row = await desk.order({
      organizationId: organization.id,
      projectId: project.id,
      usd,
      buyer: key.id,
      idempotencyKey: typeof idempotencyKey === "string" ? idempotencyKey : undefined,
    });
    return reply
      .code(201)
      .header("cache-control", "no-store")
      .send({ data: paymentView(row) });
  });
  server.post(
    "/v1/payments/gate-pay/notify",
    { bodyLimit: NOTIFICATION_LIMIT },
    async ({ headers, body }) => {
      await desk.notified({ headers, body: bytesOf(body) });
      // What Gate Pay waits for; anything else is sent again, and an order that is not yet paid is asked about.
      return { returnCode: "SUCCESS", returnMessage: "" };
    },
  );
}

const bytesOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));
