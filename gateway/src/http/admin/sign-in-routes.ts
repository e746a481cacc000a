import {
  acceptInvitationSchema,
  passwordChangeSchema,
  passwordResetSchema,
  setupSchema,
  signInSchema,
  type SessionDocument,
} from "@turnpike/contract/api/sign-in.ts";
import type { OidcSection } from "@turnpike/contract/config-auth.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import type { Deed } from "#governance/deed.ts";
import { acceptInvitation } from "#governance/invitations.ts";
import type { Sealer } from "#governance/idempotent.ts";
import type { OidcProvider } from "#governance/oidc-provider.ts";
import { resetPassword } from "#governance/password-reset.ts";
import { readEmail } from "#governance/people.ts";
import { csrfTokenOf } from "#governance/sessions.ts";
import { setUp, type FirstPerson } from "#governance/setup.ts";
import type { SignInThrottle } from "#governance/sign-in-throttle.ts";
import { changePassword, openSession, signIn, signOut } from "#governance/sign-in.ts";
import { checkSetUp, setSession, type ActorOf, type SignInDeps } from "#http/admin/actor-of.ts";
import { readJsonBody, readPart } from "#http/admin/read-request.ts";
import { checkOrigin } from "#http/admin/request-origin.ts";
import { clearCookie, readCookie, SESSION_COOKIE } from "#http/admin/session-cookie.ts";

export interface SignInApi extends SignInDeps {
  readonly core: Deed["core"];
  readonly actorOf: ActorOf;
  readonly throttle: SignInThrottle;
  readonly now: () => number;
  /** Absent: people sign in by password only. */
  readonly oidc: OidcApi | undefined;
}

export interface OidcApi {
  readonly settings: OidcSection;
  readonly provider: OidcProvider;
  /** Protects what the browser keeps meanwhile. */
  readonly sealer: Sealer;
}

const BODY_LIMIT = 64 * 1024;
export const OIDC_START_PATH = "/api/auth/oidc/start";

/** Adds sign-in, sign-out, the first setup and invitations, for programs and the console. */
export function addSignInRoutes(server: FastifyInstance, api: SignInApi): void {
  const options = { bodyLimit: BODY_LIMIT };
  server.get("/api/session", async (request, reply) => {
    const actor = await api.actorOf(request, reply);
    return answer(reply, sessionDocument(api, actor));
  });
  server.post("/api/session", options, async (request, reply) => {
    await checkSetUp(api.setup);
    const { email, password } = readBody(api, request, signInSchema);
    const attempt = attemptOf(api, request);
    const credentials = { email: readEmail(email), password };
    return greet(reply, api, await signIn(attempt, api.throttle, credentials));
  });
  server.delete("/api/session", async (request, reply) => {
    const actor = await api.actorOf(request, reply);
    onlySessions(actor);
    await signOut({ ...attemptOf(api, request), actor });
    api.actors.forget();
    clearCookie(reply, api, SESSION_COOKIE);
    return reply.code(204).send();
  });
  server.post("/api/session/password", options, async (request, reply) => {
    const actor = await api.actorOf(request, reply);
    const body = readBody(api, request, passwordChangeSchema);
    const deed = { ...attemptOf(api, request), actor };
    const passwords = { current: body.current_password, next: body.new_password };
    const user = await changePassword(deed, api.throttle, passwords);
    api.actors.forget();
    const session = await openSession(attemptOf(api, request), user, "password");
    return greet(reply, api, { session });
  });
  server.post("/api/setup", options, async (request, reply) => {
    const { email, ...rest } = readBody(api, request, setupSchema);
    const first = { ...rest, email: readEmail(email) };
    return greet(reply.code(201), api, await setUpAndEnter(api, request, first));
  });
  server.post("/api/invitations/accept", options, async (request, reply) => {
    await checkSetUp(api.setup);
    const body = readBody(api, request, acceptInvitationSchema);
    return greet(reply, api, await acceptAndEnter(api, request, body));
  });
  server.post("/api/password-reset", options, async (request, reply) => {
    await checkSetUp(api.setup);
    const body = readBody(api, request, passwordResetSchema);
    return greet(reply, api, await resetAndEnter(api, request, body));
  });
  server.get("/api/auth", async (_request, reply) => {
    await checkSetUp(api.setup);
    const { oidc } = api;
    return answer(reply, {
      password: true,
      oidc:
        oidc === undefined
          ? null
          : { name: oidc.settings.name ?? "Single sign-on", start_url: OIDC_START_PATH },
    });
  });
}

type Entered = Awaited<ReturnType<typeof signIn>>;

/** Makes the first person, who is signed in then. */
export async function setUpAndEnter(
  api: SignInApi,
  request: FastifyRequest,
  first: FirstPerson,
): Promise<Entered> {
  const attempt = attemptOf(api, request);
  const user = await setUp(attempt, api.pepper, first);
  api.setup.forget();
  return { user, session: await openSession(attempt, user, "setup") };
}

/** Accepts an invitation by whoever is signed in, or somebody new, who is signed in then. */
export async function acceptAndEnter(
  api: SignInApi,
  request: FastifyRequest,
  body: z.output<typeof acceptInvitationSchema>,
): Promise<Entered> {
  const attempt = attemptOf(api, request);
  const token = readCookie(request, api, SESSION_COOKIE);
  const signedIn = token === undefined ? undefined : await personOf(api, token);
  const user = await acceptInvitation(attempt, api.pepper, { ...body, signedIn });
  api.actors.forget();
  return { user, session: await openSession(attempt, user, "invitation") };
}

/** Sets another password for whoever has a link, who is signed in then. */
export async function resetAndEnter(
  api: SignInApi,
  request: FastifyRequest,
  body: z.output<typeof passwordResetSchema>,
): Promise<Entered> {
  const attempt = attemptOf(api, request);
  const user = await resetPassword(attempt, api.pepper, body);
  api.actors.forget();
  return { user, session: await openSession(attempt, user, "reset") };
}

/** A session that has ended is nobody's; a store that fails is no reason to think so. */
async function personOf({ actors }: SignInApi, token: string): Promise<Actor | undefined> {
  try {
    return (await actors.bySession(token)).actor;
  } catch (error) {
    if (error instanceof GatewayError && error.failure.code === "unauthenticated") return undefined;
    throw error;
  }
}

export const attemptOf = (
  { core, pepper, now }: SignInApi,
  request: FastifyRequest,
): Omit<Deed, "actor"> & { readonly pepper: Buffer } => ({
  core,
  pepper,
  now: now(),
  ip: request.ip,
  requestId: request.id,
});

/** What a page of this site sends, as JSON: another site's form can do neither. */
function readBody<Schema extends z.ZodType>(
  api: SignInApi,
  request: FastifyRequest,
  schema: Schema,
): z.output<Schema> {
  checkOrigin(request, api);
  return readPart(schema, readJsonBody(request), "body") as z.output<Schema>;
}

function onlySessions({ via }: Actor): void {
  if (via.kind === "session") return;
  throw new GatewayError({
    code: "forbidden",
    message: "An admin key has no session that could end. Revoke the key instead.",
  });
}

async function greet(
  reply: FastifyReply,
  api: SignInApi,
  { session }: Pick<Entered, "session">,
): Promise<FastifyReply> {
  setSession(reply, api, session.token);
  const { actor } = await api.actors.bySession(session.token);
  return answer(reply, sessionDocument(api, actor));
}

function sessionDocument({ pepper }: SignInApi, actor: Actor): SessionDocument {
  const { userId, kind, name, isPlatformAdmin, scopes, via } = actor;
  return {
    user:
      userId === null || kind === "operator"
        ? null
        : { id: userId, kind, name, is_platform_admin: isPlatformAdmin },
    memberships: actor.memberships.map(({ organizationId, teamId, role }) => ({
      organization_id: organizationId,
      team_id: teamId,
      role,
    })),
    scopes: scopes === undefined ? null : [...scopes],
    csrf_token: via.kind === "session" ? csrfTokenOf(pepper, via.id) : null,
  };
}

const answer = (reply: FastifyReply, body: object): FastifyReply =>
  reply
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(body));
