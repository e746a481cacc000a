import type { FastifyInstance } from "fastify";

import type { CredentialRing } from "#byok/credential-ring.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import { metricsText } from "#health/metrics-text.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import type { RequestMetrics } from "#telemetry/request-metrics.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly health: Pick<HealthTracker, "snapshot">;
  readonly credentials: Pick<CredentialRing, "of">;
  readonly metrics: Pick<RequestMetrics, "text">;
}

/** Whoever runs the gateway is at home in the first organization. */
const OPERATOR = "org_default";

/** Adds what is known of the endpoints: as JSON, and as metrics for Prometheus. Both need a key. */
export function addHealthRoutes(
  server: FastifyInstance,
  { keys, health, credentials, metrics }: Deps,
): void {
  server.get("/api/health/endpoints", (request) => {
    const { organization } = keys.authenticate(credentialOf(request), request.ip);
    const own = new Set((credentials.of(organization.id) ?? []).map(({ id }) => id));
    const data = health.snapshot().filter(({ credential }) => isVisible(credential, own));
    return { object: "list", data };
  });
  server.get("/metrics", (request, reply) => {
    const { organization } = keys.authenticate(credentialOf(request), request.ip);
    const endpoints = health.snapshot().filter(({ credential }) => isVisible(credential, NONE));
    // What all tenants together ask for and pay is the operator's to know.
    const requests = organization.id === OPERATOR ? metrics.text() : "";
    return reply
      .type("text/plain; version=0.0.4; charset=utf-8")
      .send(metricsText(endpoints) + requests);
  });
}

const NONE: ReadonlySet<string> = new Set();

/** Endpoints of tenants' own credentials are their own business, and too many for a metric's label. */
function isVisible(credential: string, own: ReadonlySet<string>): boolean {
  const at = credential.indexOf(OWN);
  return at === -1 || own.has(credential.slice(at + OWN.length));
}

const OWN = "@byok:";
