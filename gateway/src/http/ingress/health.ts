import type { FastifyInstance } from "fastify";

import type { CredentialRing } from "#byok/credential-ring.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import { metricsText } from "#health/metrics-text.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import type { ContentLog } from "#privacy/content-log.ts";
import type { RequestMetrics } from "#telemetry/request-metrics.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly health: Pick<HealthTracker, "snapshot">;
  readonly credentials: Pick<CredentialRing, "of">;
  readonly metrics: Pick<RequestMetrics, "text">;
  readonly contentCounts: ContentLog["counts"];
}

/** Whoever runs the gateway is at home in the first organization. */
const OPERATOR = "org_default";

/** Adds what is known of the endpoints: as JSON, and as metrics for Prometheus. Both need a key. */
export function addHealthRoutes(
  server: FastifyInstance,
  { keys, health, credentials, metrics, contentCounts }: Deps,
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
    const requests =
      organization.id === OPERATOR ? metrics.text() + contentText(contentCounts()) : "";
    return reply
      .type("text/plain; version=0.0.4; charset=utf-8")
      .send(metricsText(endpoints) + requests);
  });
}

/** Texts that were to be kept and could not be, for the store was too slow or not there. */
const contentText = ({ dropped, waitingBytes }: ReturnType<ContentLog["counts"]>): string =>
  [
    "# HELP turnpike_content_log_dropped_total Kept texts that were dropped: too many waited.",
    "# TYPE turnpike_content_log_dropped_total counter",
    `turnpike_content_log_dropped_total ${dropped}`,
    "# HELP turnpike_content_log_waiting_bytes Kept texts that wait to be written.",
    "# TYPE turnpike_content_log_waiting_bytes gauge",
    `turnpike_content_log_waiting_bytes ${waitingBytes}`,
    "",
  ].join("\n");

const NONE: ReadonlySet<string> = new Set();

/** Endpoints of tenants' own credentials are their own business, and too many for a metric's label. */
function isVisible(credential: string, own: ReadonlySet<string>): boolean {
  const at = credential.indexOf(OWN);
  return at === -1 || own.has(credential.slice(at + OWN.length));
}

const OWN = "@byok:";
