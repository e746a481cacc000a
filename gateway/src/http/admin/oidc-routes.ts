import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { FAILURES, GatewayError } from "#canonical/failure.ts";
import type { OidcAttempt } from "#governance/oidc-provider.ts";
import { enterByOidc } from "#governance/oidc-sign-in.ts";
import { auditRefusal, openSession } from "#governance/sign-in.ts";
import { checkSetUp } from "#http/admin/actor-of.ts";
import { publicOrigin } from "#http/admin/request-origin.ts";
import { clearCookie, readCookie, setCookie, type CookieKind } from "#http/admin/session-cookie.ts";
import { sendRefusal, sendWelcome } from "#http/admin/sign-in-pages.ts";
import {
  attemptOf,
  OIDC_START_PATH,
  type OidcApi,
  type SignInApi,
} from "#http/admin/sign-in-routes.ts";
import { isObject } from "#lib/json.ts";

const CALLBACK_PATH = "/api/auth/oidc/callback";
/** Lax: the browser comes back from the provider's site, and must bring it. */
const ATTEMPT_COOKIE: CookieKind = { name: "turnpike_oidc", sameSite: "Lax" };
const ATTEMPT_SECONDS = 600;
const SEAL_CONTEXT = "oidc-attempt";

/** Adds single sign-on: to the provider, and back. Both are for browsers, so errors are pages. */
export function addOidcRoutes(server: FastifyInstance, api: SignInApi, oidc: OidcApi): void {
  server.get(OIDC_START_PATH, (request, reply) =>
    orPage(reply, async () => {
      await checkSetUp(api.setup);
      const redirectUri = publicOrigin(request, api) + CALLBACK_PATH;
      const { url, attempt } = await oidc.provider.start(redirectUri);
      keepAttempt(reply, { api, oidc, attempt });
      return reply.header("cache-control", "no-store").redirect(url.href, 303);
    }),
  );
  server.get(CALLBACK_PATH, (request, reply) =>
    orPage(reply, async () => {
      await checkSetUp(api.setup);
      const attempt = readAttempt(request, api, oidc);
      // Whatever comes of it: the same way is not gone twice.
      clearCookie(reply, api, ATTEMPT_COOKIE);
      if (attempt === undefined) throw new GatewayError(NOT_BEGUN);
      return finish(api, oidc, { request, reply, attempt });
    }),
  );
}

interface Returning {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly attempt: OidcAttempt;
}

async function finish(
  api: SignInApi,
  { provider, settings }: OidcApi,
  { request, reply, attempt }: Returning,
): Promise<FastifyReply> {
  const deed = attemptOf(api, request);
  const url = new URL(request.url, publicOrigin(request, api));
  const identity = await provider.finish(url, attempt).catch(async (error: unknown) => {
    const isRefused = error instanceof GatewayError && error.failure.code === "unauthenticated";
    if (isRefused) await auditRefusal(deed, { name: "single sign-on", userId: undefined });
    throw error;
  });
  const user = await enterByOidc(deed, settings, identity);
  api.actors.forget();
  const session = await openSession(deed, user, "oidc");
  return sendWelcome(reply, api, session.token);
}

interface Keeping {
  readonly api: SignInApi;
  readonly oidc: OidcApi;
  readonly attempt: OidcAttempt;
}

function keepAttempt(reply: FastifyReply, { api, oidc, attempt }: Keeping): void {
  const sealed = oidc.sealer.seal(Buffer.from(JSON.stringify(attempt)), SEAL_CONTEXT);
  setCookie(reply, api, {
    kind: ATTEMPT_COOKIE,
    value: sealed.toString("base64url"),
    maxAgeSeconds: ATTEMPT_SECONDS,
  });
}

/** What we sealed ourselves; anything else was not begun here. */
function readAttempt(
  request: FastifyRequest,
  api: SignInApi,
  { sealer }: OidcApi,
): OidcAttempt | undefined {
  const cookie = readCookie(request, api, ATTEMPT_COOKIE);
  if (cookie === undefined) return undefined;
  try {
    const sealed = Buffer.from(cookie, "base64url");
    const value: unknown = JSON.parse(sealer.open(sealed, SEAL_CONTEXT).toString());
    return isObject(value) ? (value as unknown as OidcAttempt) : undefined;
  } catch {
    return undefined;
  }
}

async function orPage(
  reply: FastifyReply,
  work: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message } = error.failure;
    return sendRefusal(reply, FAILURES[code].status, message);
  }
}

const NOT_BEGUN = {
  code: "unauthenticated",
  message:
    "This sign-in was not begun in this browser, or took too long. Begin again at the sign-in page.",
} as const;
