import { Readable } from "node:stream";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import type { Deed } from "#governance/deed.ts";
import { idempotently, type PlainAnswer, type Sealer } from "#governance/idempotent.ts";
import {
  MAX_BODY_BYTES,
  type AdminParts,
  type AdminRoute,
  type Answer,
  type Handling,
} from "#http/admin/admin-route.ts";
import { authorize } from "#http/admin/authorize.ts";
import { createAdminLimiter, type AdminRate } from "#http/admin/rate-limit.ts";
import { etagOf, expectedVersion, readJsonBody, readPart } from "#http/admin/read-request.ts";

/** What the admin API needs of the gateway, whatever its routes are. */
export interface AdminApi {
  readonly core: Deed["core"];
  /** Who calls; throws `unauthenticated`. */
  readonly authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<Actor>;
  /** After each change: this gateway acts on it at once, others within a second. */
  readonly onChange: () => Promise<void>;
  readonly parts: AdminParts;
  readonly sealer: Sealer;
  readonly now: () => number;
  readonly rate: AdminRate;
}

/** Adds the routes of the table: each request is authenticated, read, authorized and only then handled. */
export function addAdminRoutes(
  server: FastifyInstance,
  api: AdminApi,
  routes: readonly AdminRoute[],
): void {
  const waitOf = createAdminLimiter(api.rate, api.now);
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path,
      bodyLimit: MAX_BODY_BYTES,
      handler: async (request, reply) => {
        const actor = await api.authenticate(request, reply);
        refuseFlood(waitOf(actor.userId ?? actor.via.id));
        const answer = await answerTo(route, { api, actor, request });
        if (route.method !== "GET") await api.onChange();
        return sendAnswer(reply, route, answer);
      },
    });
  }
}

function refuseFlood(waitMs: number): void {
  if (waitMs === 0) return;
  throw new GatewayError({
    code: "rate_limited",
    message: "Too many requests to the admin API. Go on more slowly.",
    retryAfterMs: waitMs,
  });
}

interface Asked {
  readonly api: AdminApi;
  readonly actor: Actor;
  readonly request: FastifyRequest;
}

async function answerTo(route: AdminRoute, { api, actor, request }: Asked): Promise<Sent> {
  const { core, now } = api;
  const deed: Deed = { core, actor, now: now(), ip: request.ip, requestId: request.id };
  const bodySchema = (actor.isPlatformAdmin ? route.platformBody : undefined) ?? route.body;
  const read = {
    deed,
    parts: api.parts,
    params: readPart(route.params, request.params, "path"),
    query: readPart(route.query, { ...(request.query as object) }, "query"),
    body: hasBody(route) ? readPart(bodySchema, readJsonBody(request), "body") : {},
  };
  const allowed = await authorize(route, read);
  const ifMatch = versionOf(route, request);
  const expected = ifMatch === "any" ? undefined : ifMatch;
  const { "idempotency-key": key } = request.headers;
  const idempotencyKey = typeof key === "string" ? key : undefined;
  const handling = { ...read, ...allowed, ifMatch, expected, idempotencyKey };
  if (route.method !== "POST" || idempotencyKey === undefined) return route.handle(handling);
  const act = (): Promise<PlainAnswer> => plainAnswer(route, handling);
  const asked = { key: idempotencyKey, route: `POST ${request.url}`, body: read.body };
  return idempotently({ deed, sealer: api.sealer }, asked, act);
}

type Sent = Answer<unknown> & Pick<PlainAnswer, "replayed">;

const hasBody = ({ method }: AdminRoute): boolean => method !== "GET" && method !== "DELETE";

async function plainAnswer(
  route: AdminRoute,
  handling: Handling<unknown, unknown, unknown>,
): Promise<PlainAnswer> {
  const { body, status = route.status ?? 200, version } = await route.handle(handling);
  return { body, status, ...(version !== undefined && { version }) };
}

/** An update names the version that it was decided on: of two at once, one is told. */
function versionOf(
  { needsVersion }: AdminRoute,
  { headers }: FastifyRequest,
): number | "any" | undefined {
  const expected = expectedVersion(headers);
  if (needsVersion === true && expected === undefined) {
    throw new GatewayError({
      code: "precondition_required",
      field: "If-Match",
      message: "Read the object first and send its ETag as If-Match, so that no change is lost.",
    });
  }
  return expected;
}

function sendAnswer(reply: FastifyReply, route: AdminRoute, answer: Sent): FastifyReply {
  const { body, version, headers = {}, lines, replayed, status = route.status ?? 200 } = answer;
  reply.code(status).headers({
    ...headers,
    "cache-control": "no-store",
    "x-request-id": reply.request.id,
    ...(version !== undefined && { etag: etagOf(version) }),
    ...(replayed && { "idempotent-replayed": "true" }),
  });
  if (lines !== undefined) {
    return reply.type(route.produces ?? "application/jsonl").send(Readable.from(lines));
  }
  return reply.type("application/json; charset=utf-8").send(JSON.stringify(body));
}
