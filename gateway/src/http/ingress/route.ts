import type { FastifyInstance } from "fastify";

import { credentialOf } from "#pipeline/authenticate.ts";
import { explainRequest } from "#pipeline/explain-request.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { readBody } from "#pipeline/read-body.ts";

type Deps = Pick<
  Gateway,
  "keys" | "market" | "health" | "sessions" | "learner" | "tick" | "random"
>;

const SEEDS = 2 ** 31;

/** Adds `POST /v1/route`: the plan of a chat request with its numbers and reasons, without a call. */
export function addRouteRoute(
  server: FastifyInstance,
  { keys, market, health, sessions, learner, tick, random }: Deps,
  now: () => number,
): void {
  server.post("/v1/route", (request) => {
    const { key, organization } = keys.authenticate(credentialOf(request));
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return explainRequest(
      { body: readBody(bytes).object, headers: request.headers, keyId: key.id },
      {
        market: market(),
        health: health.view(),
        seed: Math.floor(random() * SEEDS),
        nowMs: now(),
        tickMs: tick(),
        ...learner.evidence(organization.id),
      },
      (sessionKey) => sessions.recall(sessionKey),
    );
  });
}
