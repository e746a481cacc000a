import type { FastifyInstance } from "fastify";

import type { CredentialRing } from "#byok/credential-ring.ts";
import type { Directory } from "#governance/directory.ts";
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
  readonly directory: Pick<Directory, "version" | "age">;
}

/** Whoever runs the gateway is at home in the first organization. */
const OPERATOR = "org_default";

/** Adds what is known of the endpoints: as JSON, and as metrics for Prometheus. Both need a key. */
export function addHealthRoutes(
  server: FastifyInstance,
  { keys, health, credentials, metrics, contentCounts, directory }: Deps,
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
    const own =
      organization.id === OPERATOR
        ? metrics.text() + contentText(contentCounts()) + directoryText(directory)
        : "";
    return reply
      .type("text/plain; version=0.0.4; charset=utf-8")
      .send(metricsText(endpoints) + own);
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

/** Whether this gateway knows of the last change of keys, policies and budgets: gateways of one database agree on the version. */
const directoryText = ({ version, age }: Deps["directory"]): string =>
  [
    "# HELP turnpike_directory_version Last change of keys, policies, limits and budgets that this gateway knows.",
    "# TYPE turnpike_directory_version gauge",
    `turnpike_directory_version ${version()}`,
    "# HELP turnpike_directory_age_seconds Time since it last looked for changes and found the store readable.",
    "# TYPE turnpike_directory_age_seconds gauge",
    `turnpike_directory_age_seconds ${(age() / 1_000).toFixed(3)}`,
    "",
  ].join("\n");

const NONE: ReadonlySet<string> = new Set();

/** Endpoints of tenants' own credentials are their own business, and too many for a metric's label. */
function isVisible(credential: string, own: ReadonlySet<string>): boolean {
  const at = credential.indexOf(OWN);
  return at === -1 || own.has(credential.slice(at + OWN.length));
}

const OWN = "@byok:";
