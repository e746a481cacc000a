import type { AuthSection } from "@turnpike/contract/config-auth.ts";
import type { FastifyInstance } from "fastify";

import { openOidc } from "#app/open-oidc.ts";
import { createActors } from "#governance/authenticate-actor.ts";
import { createSetupState, setupToken } from "#governance/setup.ts";
import { createSignInThrottle } from "#governance/sign-in-throttle.ts";
import { createActorOf, type ActorOf } from "#http/admin/actor-of.ts";
import { addOidcRoutes } from "#http/admin/oidc-routes.ts";
import { addSignInPages } from "#http/admin/sign-in-pages.ts";
import { addSignInRoutes, type SignInApi } from "#http/admin/sign-in-routes.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { deleteEndedSessions } from "#store/sessions.ts";
import type { Store } from "#store/store.ts";
import type { Log } from "#telemetry/log.ts";

export interface SignIn {
  /** Who sends a request to `/api`. */
  readonly actorOf: ActorOf;
  /** After a change of who may what: it counts at once. */
  forgetActors(): void;
  addRoutes(server: FastifyInstance): void;
  /** For the link that makes the first person; `undefined`: there is somebody. */
  readonly setupToken: string | undefined;
}

interface Opened {
  readonly store: Pick<Store, "core">;
  readonly master: MasterKey;
  readonly auth: AuthSection;
  readonly log: Log;
  readonly closers: (() => void | Promise<void>)[];
}

const PURGE_INTERVAL_MS = 60 * 60_000;

/** Puts together who may call the admin API, and how people sign in. */
export async function openSignIn(opened: Opened): Promise<SignIn> {
  const { store, master, auth, closers } = opened;
  const { core } = store;
  const { keyPepper: pepper } = master;
  const now = Date.now;
  const actors = createActors({ core, pepper, now });
  const setup = createSetupState(core, now);
  const deps = { actors, setup, pepper, publicUrl: auth.publicUrl };
  const actorOf = createActorOf(deps);
  const { oidc: settings } = auth;
  const oidc = settings === undefined ? undefined : await openOidc({ ...opened, settings });
  const api: SignInApi = {
    ...deps,
    core,
    actorOf,
    throttle: createSignInThrottle(now),
    now,
    oidc,
  };
  const purge = setInterval(
    // A store that fails now is told to whoever signs in; the next purge does it all.
    () => void deleteEndedSessions(core, now()).catch(() => undefined),
    PURGE_INTERVAL_MS,
  );
  purge.unref();
  closers.push(() => clearInterval(purge));
  return {
    actorOf,
    forgetActors: () => actors.forget(),
    addRoutes(server) {
      addSignInRoutes(server, api);
      addSignInPages(server, api);
      if (oidc !== undefined) addOidcRoutes(server, api, oidc);
    },
    setupToken: (await setup.isNeeded()) ? await setupToken(core, pepper) : undefined,
  };
}
