import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["sessions"];
export type StoredSession = Readonly<Row>;

export const insertSession = (core: Kysely<CoreTables>, session: StoredSession): Promise<unknown> =>
  core.insertInto("sessions").values(session).execute();

export const findSession = (
  core: Kysely<CoreTables>,
  tokenDigest: string,
): Promise<StoredSession | undefined> =>
  core
    .selectFrom("sessions")
    .selectAll()
    .where("token_digest", "=", tokenDigest)
    .executeTakeFirst();

export const touchSession = (
  core: Kysely<CoreTables>,
  tokenDigest: string,
  now: number,
): Promise<unknown> =>
  core
    .updateTable("sessions")
    .set({ last_seen_at: now })
    .where("token_digest", "=", tokenDigest)
    .execute();

/** Marks a token as replaced; `false`: another request was first, or the session has ended. */
export async function replaceSession(
  core: Kysely<CoreTables>,
  tokenDigest: string,
  { now, worksUntil }: { readonly now: number; readonly worksUntil: number },
): Promise<boolean> {
  const row = await core
    .updateTable("sessions")
    .set({ replaced_at: now, expires_at: worksUntil })
    .where("token_digest", "=", tokenDigest)
    .where("replaced_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export const deleteSessionsOf = (core: Kysely<CoreTables>, userId: string): Promise<unknown> =>
  core.deleteFrom("sessions").where("user_id", "=", userId).execute();

export const deleteEndedSessions = (core: Kysely<CoreTables>, now: number): Promise<unknown> =>
  core.deleteFrom("sessions").where("expires_at", "<=", now).execute();
