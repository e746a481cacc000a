import type { FastifyInstance } from "fastify";

import { credentialOf } from "#pipeline/authenticate.ts";
import { explainRequest } from "#pipeline/explain-request.ts";
import { readGatewayOptions } from "#pipeline/gateway-options.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { governed } from "#pipeline/plan-call.ts";
import { readBody } from "#pipeline/read-body.ts";

type Deps = Pick<
  Gateway,
  "keys" | "hasCredit" | "marketFor" | "health" | "sessions" | "learner" | "tick" | "random"
>;

const SEEDS = 2 ** 31;

/** Adds `POST /v1/route`: the plan of a chat request with its numbers and reasons, without a call. */
export function addRouteRoute(
  server: FastifyInstance,
  { keys, hasCredit, marketFor, health, sessions, learner, tick, random }: Deps,
  now: () => number,
): void {
  server.post("/v1/route", (request) => {
    const access = keys.authenticate(credentialOf(request), request.ip);
    const { key, organization } = access;
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const body = readBody(bytes).object;
    const { byok } = readGatewayOptions(body, request.headers).provider;
    return explainRequest(
      {
        body,
        headers: request.headers,
        keyId: key.id,
        governed: governed(access, hasCredit),
        access,
      },
      {
        market: marketFor(access, byok),
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
