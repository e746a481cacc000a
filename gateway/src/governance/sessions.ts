import type { Kysely } from "kysely";

import { newId } from "#lib/ids.ts";
import { digestOfToken, randomToken } from "#governance/secret-token.ts";
import type { CoreTables } from "#store/schema.ts";
import { insertSession, replaceSession, type StoredSession } from "#store/sessions.ts";

const HOUR_MS = 60 * 60_000;
/** Without a request for so long, it has ended. */
export const SESSION_IDLE_MS = 12 * HOUR_MS;
/** It ends then, whatever happens. */
export const SESSION_ABSOLUTE_MS = 7 * 24 * HOUR_MS;
/** A token is replaced by another one after this. */
const RENEW_AFTER_MS = HOUR_MS;
/** Requests that were under way with the old token may still arrive. */
const GRACE_MS = 30_000;

/** A session's secret and its id, which is none. */
export interface NewSession {
  readonly token: string;
  readonly id: string;
}

interface Opening {
  readonly userId: string;
  readonly pepper: Buffer;
  readonly now: number;
}

/** Starts a session; always with a new token, whatever the browser sent. */
export async function startSession(
  core: Kysely<CoreTables>,
  { userId, pepper, now }: Opening,
): Promise<NewSession> {
  const token = randomToken();
  const id = newId("ses_", now);
  await insertSession(core, {
    token_digest: digestOfToken(pepper, "session", token),
    id,
    user_id: userId,
    created_at: now,
    issued_at: now,
    replaced_at: null,
    last_seen_at: now,
    expires_at: now + SESSION_ABSOLUTE_MS,
  });
  return { token, id };
}

export const isLive = (session: StoredSession, now: number): boolean =>
  session.expires_at > now && session.last_seen_at + SESSION_IDLE_MS > now;

/** A new token for a session whose token is old; `undefined`: not yet, or another request did it. */
export async function renewSession(
  core: Kysely<CoreTables>,
  session: StoredSession,
  { pepper, now }: Pick<Opening, "pepper" | "now">,
): Promise<string | undefined> {
  if (session.replaced_at !== null || now - session.issued_at < RENEW_AFTER_MS) return undefined;
  const worksUntil = Math.min(session.expires_at, now + GRACE_MS);
  return core.transaction().execute(async (transaction) => {
    const isFirst = await replaceSession(transaction, session.token_digest, { now, worksUntil });
    if (!isFirst) return undefined;
    const token = randomToken();
    await insertSession(transaction, {
      ...session,
      token_digest: digestOfToken(pepper, "session", token),
      issued_at: now,
      last_seen_at: now,
    });
    return token;
  });
}

/**
 * What a page of ours sends with each change, to show that it is one: no other site can read it.
 * Bound to the session, not to its token: it stays when the token is renewed.
 */
export const csrfTokenOf = (pepper: Buffer, sessionId: string): string =>
  digestOfToken(pepper, "csrf", sessionId);
