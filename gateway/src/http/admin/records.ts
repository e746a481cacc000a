import {
  logExportQuery,
  logQuery,
  logSchema,
  reportExportQuery,
  reportQuery,
  reportSchema,
  requestParams,
  sessionParams,
  sessionQuery,
  sessionSchema,
  traceSchema,
  type LogWhat,
  type ReportWhat,
} from "@turnpike/contract/api/records.ts";
import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import {
  placeOfKey,
  placeOfOrganization,
  placeOfProject,
  placeOfTeam,
} from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { csv, csvAnswer } from "#http/admin/csv-answer.ts";
import type { JsonObject } from "#lib/json.ts";
import type { LogQuery } from "#telemetry/request-log.ts";
import type { ReportQuery } from "#telemetry/reports.ts";

const group = "Records and reports";

interface Scoped {
  readonly organization_id: string;
  readonly team_id?: string | undefined;
  readonly project_id?: string | undefined;
  readonly key_id?: string | undefined;
}

/** The narrowest that is named, and it must lie where the query says. */
async function placeOf(deed: Deed, query: Scoped): Promise<Place | undefined> {
  const { core } = deed;
  const { organization_id, team_id, project_id, key_id } = query;
  const places = await Promise.all([
    key_id === undefined ? undefined : placeOfKey(core, key_id),
    project_id === undefined ? undefined : placeOfProject(core, project_id),
    team_id === undefined ? undefined : placeOfTeam(core, team_id),
    placeOfOrganization(core, organization_id),
  ]);
  const named = [key_id, project_id, team_id, organization_id];
  const asked = places.filter((_, at) => named[at] !== undefined);
  if (asked.some((place) => place?.organizationId !== organization_id)) return undefined;
  return asked[0];
}

/** Handlers give what their functions make; the schema is checked by the tests of both. */
const answer = (body: JsonObject) => ({ body: body as never });

const missing = (what: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    message: `There is no such ${what}, or none that you may see.`,
  });

/** Spend, the log, and traces. */
export const RECORD_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/reports/spend",
    group,
    summary: "Sums by any dimension or by day: spend, cache hits, savings, drift, errors, latency.",
    action: "reports.read",
    noun: "organization, team, project or key",
    query: reportQuery,
    response: reportSchema,
    place: ({ query, deed }) => placeOf(deed, query),
    handle: async ({ query, parts }) => {
      const { order, limit, cursor } = query;
      return answer(await parts.reports.spend({ ...reportOf(query), order, limit, cursor }));
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/reports/spend.csv",
    group,
    summary: "The same day by day as CSV.",
    action: "reports.read",
    noun: "organization, team, project or key",
    query: reportExportQuery,
    ...csv,
    place: ({ query, deed }) => placeOf(deed, query),
    handle: async ({ query, parts }) => csvAnswer("spend", parts.reports.spendCsv(reportOf(query))),
  }),
  adminRoute({
    method: "GET",
    path: "/api/requests",
    group,
    summary: "The log: requests, the newest first.",
    action: "records.read",
    noun: "organization, team, project or key",
    query: logQuery,
    response: logSchema,
    place: ({ query, deed }) => placeOf(deed, query),
    handle: async ({ query, parts }) => {
      const { limit, cursor } = query;
      return answer(await parts.reports.log({ ...filterOf(query), limit, cursor }));
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/requests.csv",
    group,
    summary: "The log as CSV, at most 100,000 requests.",
    action: "records.read",
    noun: "organization, team, project or key",
    query: logExportQuery,
    ...csv,
    place: ({ query, deed }) => placeOf(deed, query),
    handle: async ({ query, parts }) =>
      csvAnswer("requests", parts.reports.logCsv(filterOf(query))),
  }),
  adminRoute({
    method: "GET",
    path: "/api/requests/:request_id",
    group,
    summary: "The trace of a request: its route, attempts and times.",
    action: "records.read",
    params: requestParams,
    response: traceSchema,
    place: ({ params, parts }) => parts.reports.placeOf(params.request_id),
    handle: async ({ params, parts }) => {
      const trace = await parts.reports.trace(params.request_id);
      if (trace === undefined) throw missing("request");
      return answer(trace);
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/sessions/:session_id",
    group,
    summary: "All requests of a session in turns, with sums.",
    action: "records.read",
    params: sessionParams,
    query: sessionQuery,
    response: sessionSchema,
    place: ({ query, deed }) => placeOf(deed, query),
    handle: async ({ params, query, parts }) => {
      const { organization_id: organizationId, cursor: after } = query;
      const found = await parts.reports.session(params.session_id, { organizationId, after });
      if (found === undefined) throw missing("session");
      return answer(found);
    },
  }),
];

function reportOf(query: ReportWhat): ReportQuery {
  const common = {
    organizationId: query.organization_id,
    by: query.by,
    from: Date.parse(query.from),
    to: Date.parse(query.to),
  };
  const named = (["key", "project", "team"] as const).flatMap((of) => {
    const id = query[`${of}_id`];
    return id === undefined ? [] : [{ of, id }];
  });
  const [scope] = named;
  if (scope === undefined) return { ...common, value: query.value };
  if (named.length > 1) {
    throw invalidRequest(`${scope.of}_id`, "Name one of team_id, project_id and key_id.");
  }
  if (query.by === "day") return { ...common, of: scope.of, value: scope.id };
  if (query.by === "model" && scope.of !== "team") {
    const within = scope.of === "key" ? { key: scope.id } : { project: scope.id };
    return { ...common, within, value: query.value };
  }
  throw invalidRequest(
    "by",
    `With ${scope.of}_id, "by" is day${scope.of === "team" ? "" : " or model"}.`,
  );
}

const filterOf = (query: LogWhat): LogQuery => ({
  organizationId: query.organization_id,
  teamId: query.team_id,
  projectId: query.project_id,
  keyId: query.key_id,
  model: query.model,
  provider: query.provider,
  endUser: query.user,
  tag: query.tag,
  conversation: query.session,
  taskClass: query.task,
  failed: query.failed,
  failure: query.failure,
  status: query.status,
  since: query.since === undefined ? undefined : Date.parse(query.since),
  until: query.until === undefined ? undefined : Date.parse(query.until),
});
