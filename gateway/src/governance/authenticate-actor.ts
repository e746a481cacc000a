import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import { ACTIONS, type Scope } from "#governance/permissions.ts";
import { digestOfToken, isAdminKey } from "#governance/secret-token.ts";
import { isLive, renewSession } from "#governance/sessions.ts";
import { findAdminKeyByDigest, touchAdminKey } from "#store/admin-keys.ts";
import { activeMembershipsOf } from "#store/memberships.ts";
import type { CoreTables } from "#store/schema.ts";
import { findSession, touchSession } from "#store/sessions.ts";
import { findUser, type StoredUser } from "#store/users.ts";

/** Changes by other gateways count within this. */
const CACHE_MS = 400;
const MAX_CACHED = 5_000;
/** Uses are noted no more often than this. */
const TOUCH_MS = 60_000;

export interface Authenticated {
  readonly actor: Actor;
  /** A session's token was old, and this one takes its place. */
  readonly renewedToken?: string;
}

/** Who is behind a session or an admin key. Looked up in the store, and kept for less than a second. */
export interface Actors {
  /** Throws `unauthenticated`; a store that fails is `store_unavailable`. */
  bySession(token: string): Promise<Authenticated>;
  byAdminKey(key: string): Promise<Authenticated>;
  /** After a change by this gateway: it counts at once. */
  forget(): void;
}

interface Deps {
  readonly core: Kysely<CoreTables>;
  readonly pepper: Buffer;
  readonly now: () => number;
}

interface Cached {
  readonly at: number;
  readonly actor: Actor;
}

export function createActors(deps: Deps): Actors {
  const { pepper, now } = deps;
  /** By the digest of the whole token: a shorter name could be two people's. */
  const cache = new Map<string, Cached>();
  let generation = 0;
  const cached = async (
    digest: string,
    find: () => Promise<Authenticated>,
  ): Promise<Authenticated> => {
    const known = cache.get(digest);
    if (known !== undefined && now() - known.at < CACHE_MS) return { actor: known.actor };
    const [at, started] = [now(), generation];
    const found = await find();
    // What was read before a change must not stay after it.
    if (started === generation) {
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(digest, { at, actor: found.actor });
    }
    return found;
  };
  return {
    bySession(token) {
      const digest = digestOfToken(pepper, "session", token);
      return cached(digest, () => findBySession(deps, digest));
    },
    byAdminKey(key) {
      if (!isAdminKey(key)) throw new GatewayError(key.startsWith("sk-") ? NOT_ADMIN : UNKNOWN_KEY);
      const digest = digestOfToken(pepper, "admin-key", key);
      return cached(digest, () => findByAdminKey(deps, digest));
    },
    forget() {
      generation += 1;
      cache.clear();
    },
  };
}

async function findBySession(deps: Deps, digest: string): Promise<Authenticated> {
  const { core } = deps;
  const now = deps.now();
  const session = await findSession(core, digest);
  if (session === undefined || !isLive(session, now)) throw new GatewayError(SESSION_ENDED);
  const { user, memberships } = await findPerson(core, session.user_id);
  if (user === undefined) throw new GatewayError(SESSION_ENDED);
  const renewedToken = await renewSession(core, session, { pepper: deps.pepper, now });
  if (renewedToken === undefined && now - session.last_seen_at > TOUCH_MS) {
    await touchSession(core, digest, now);
  }
  const actor = actorOf(user, memberships, { kind: "session", id: session.id });
  return { actor, ...(renewedToken !== undefined && { renewedToken }) };
}

async function findByAdminKey({ core, now }: Deps, digest: string): Promise<Authenticated> {
  const key = await findAdminKeyByDigest(core, digest);
  if (key === undefined) throw new GatewayError(UNKNOWN_KEY);
  const at = now();
  if (key.revoked_at !== null) throw new GatewayError(REVOKED_KEY);
  if (key.expires_at !== null && key.expires_at <= at) throw new GatewayError(EXPIRED_KEY);
  const { user, memberships } = await findPerson(core, key.user_id);
  if (user === undefined) throw new GatewayError(REVOKED_KEY);
  if (at - (key.last_used_at ?? 0) > TOUCH_MS) await touchAdminKey(core, key.id, at);
  const actor = actorOf(user, memberships, { kind: "admin-key", id: key.id });
  return {
    actor: {
      ...actor,
      scopes: readScopes(key.scopes),
      ...(key.organization_id !== null && { organizationId: key.organization_id }),
      ...(key.expires_at !== null && { expiresAt: key.expires_at }),
    },
  };
}

/** Scopes of an earlier version that no longer exist allow nothing. */
export function readScopes(json: string): ReadonlySet<Scope> {
  const names = JSON.parse(json) as readonly string[];
  return new Set(ACTIONS.filter((action) => names.includes(action)));
}

type Memberships = Awaited<ReturnType<typeof activeMembershipsOf>>;

async function findPerson(
  core: Kysely<CoreTables>,
  id: string,
): Promise<{ readonly user: StoredUser | undefined; readonly memberships: Memberships }> {
  const [user, memberships] = await Promise.all([
    findUser(core, id),
    activeMembershipsOf(core, id),
  ]);
  return { user: user?.disabled_at === null ? user : undefined, memberships };
}

/** A user as an actor, with all that its roles allow. */
export function actorOf(user: StoredUser, memberships: Memberships, via: Actor["via"]): Actor {
  return {
    kind: user.kind,
    userId: user.id,
    name: user.email ?? user.name,
    isPlatformAdmin: user.is_platform_admin === 1,
    memberships: memberships.map((membership) => ({
      organizationId: membership.organization_id,
      teamId: membership.team_id,
      role: membership.role,
    })),
    via,
  };
}

const SESSION_ENDED = {
  code: "unauthenticated",
  message: "The session has ended. Sign in again.",
} as const;

const NOT_ADMIN = {
  code: "unauthenticated",
  message:
    "This is a key for inference. The admin API takes a session or an admin key (`tp-adm-…`).",
} as const;

const UNKNOWN_KEY = {
  code: "unauthenticated",
  message: "The admin key is not a key of this gateway. Admin keys begin with `tp-adm-`.",
} as const;

const REVOKED_KEY = {
  code: "unauthenticated",
  message: "The admin key was revoked, or its owner was disabled.",
} as const;

const EXPIRED_KEY = {
  code: "unauthenticated",
  message: "The admin key has expired. Make another one.",
} as const;
