import type { FastifyReply, FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import type { Actors } from "#governance/authenticate-actor.ts";
import { isAdminKey, isSameText } from "#governance/secret-token.ts";
import { csrfTokenOf, SESSION_ABSOLUTE_MS } from "#governance/sessions.ts";
import type { SetupState } from "#governance/setup.ts";
import { checkOrigin, isUnsafe } from "#http/admin/request-origin.ts";
import { readCookie, SESSION_COOKIE, setCookie, type Reached } from "#http/admin/session-cookie.ts";

/**
 * Who sends a request to the admin API: the owner of the session in its cookie, or of the admin key
 * in `authorization`. Throws `setup_needed`, `unauthenticated`, `forbidden` (a page of another site),
 * `store_unavailable`. May set the session's cookie anew.
 */
export type ActorOf = (request: FastifyRequest, reply: FastifyReply) => Promise<Actor>;

export interface SignInDeps extends Reached {
  readonly actors: Actors;
  readonly setup: SetupState;
  readonly pepper: Buffer;
}

export function createActorOf(deps: SignInDeps): ActorOf {
  return async (request, reply) => {
    const credential = bearerOf(request);
    // An operator's admin key of a service account works before there is any person.
    if (credential === undefined || !isAdminKey(credential)) await checkSetUp(deps.setup);
    if (credential !== undefined) return (await deps.actors.byAdminKey(credential)).actor;
    return actorOfSession(deps, request, reply);
  };
}

/** Throws `setup_needed` as long as there is nobody who could sign in. */
export async function checkSetUp(setup: SetupState): Promise<void> {
  if (await setup.isNeeded()) throw new GatewayError(SETUP_NEEDED);
}

async function actorOfSession(
  deps: SignInDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Actor> {
  const token = readCookie(request, deps, SESSION_COOKIE);
  if (token === undefined) throw new GatewayError(NOBODY);
  const { actor, renewedToken } = await deps.actors.bySession(token);
  if (renewedToken !== undefined) setSession(reply, deps, renewedToken);
  if (isUnsafe(request)) checkForgery(deps, request, actor);
  return actor;
}

/** A change by way of a cookie: the browser sends that by itself, whichever page asks it to. */
function checkForgery(deps: SignInDeps, request: FastifyRequest, actor: Actor): void {
  checkOrigin(request, deps);
  const type = request.headers["content-type"];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new GatewayError({
      code: "unsupported_media_type",
      message: "Send the body as JSON, with the header `content-type: application/json`.",
    });
  }
  const sent = request.headers["x-csrf-token"];
  if (typeof sent === "string" && isSameText(sent, csrfTokenOf(deps.pepper, actor.via.id))) return;
  throw new GatewayError({
    code: "forbidden",
    field: "x-csrf-token",
    message: "Send the header x-csrf-token with the `csrf_token` of GET /api/session.",
  });
}

export const setSession = (reply: FastifyReply, reached: Reached, token: string): void =>
  setCookie(reply, reached, {
    kind: SESSION_COOKIE,
    value: token,
    maxAgeSeconds: SESSION_ABSOLUTE_MS / 1_000,
  });

const bearerOf = ({ headers }: FastifyRequest): string | undefined =>
  /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? "")?.[1];

const SETUP_NEEDED = {
  code: "setup_needed",
  message:
    "Nobody can sign in yet. Open the setup link that the gateway printed when it started; `turnpike setup-token` prints another one.",
} as const;

const NOBODY = {
  code: "unauthenticated",
  message:
    "Nobody is signed in. Sign in at POST /api/session, or send an admin key: `authorization: Bearer tp-adm-…`.",
} as const;
