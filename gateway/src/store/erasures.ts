import { sql, type Kysely } from "kysely";

import type { CoreTables, RecordTables } from "#store/schema.ts";

export type ErasureRow = CoreTables["erasures"];

/** All erasures, or those asked for since a time (Unix ms), the oldest first. */
export const listErasures = (core: Kysely<CoreTables>, since = 0): Promise<readonly ErasureRow[]> =>
  core
    .selectFrom("erasures")
    .selectAll()
    .where("requested_at", ">=", since)
    .orderBy("requested_at")
    .orderBy("id")
    .execute();

/** Notes an erasure; one that is known stays as it is. */
export async function insertErasure(core: Kysely<CoreTables>, row: ErasureRow): Promise<void> {
  await core
    .insertInto("erasures")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function completeErasure(
  core: Kysely<CoreTables>,
  id: string,
  done: { readonly completedAt: number; readonly receipt: string },
): Promise<void> {
  await core
    .updateTable("erasures")
    .set({ completed_at: done.completedAt, receipt: done.receipt })
    .where("id", "=", id)
    .execute();
}

/** Which rows an erasure means. */
export interface Scope {
  readonly organizationId: string;
  readonly requestId?: string | undefined;
  /** Pseudonyms. */
  readonly subjects?: readonly string[] | undefined;
  readonly projectId?: string | undefined;
  /** Unix milliseconds: from this one on. */
  readonly from?: number | undefined;
  /** Up to this one. */
  readonly until: number;
}

export interface ErasedRows {
  readonly contentRows: number;
  readonly keyIds: readonly string[];
}

/** Removes kept texts and their index. */
export async function eraseContentRows(
  records: Kysely<RecordTables>,
  scope: Scope,
): Promise<ErasedRows> {
  const { organizationId, requestId, subjects, projectId, from = 0, until } = scope;
  const rows = await records
    .selectFrom("content_log")
    .select(["request_id", "encryption_key"])
    .where("organization_id", "=", organizationId)
    .where("created_at", ">=", from)
    .where("created_at", "<=", until)
    .$if(requestId !== undefined, (query) => query.where("request_id", "=", requestId ?? ""))
    .$if(subjects !== undefined, (query) => query.where("subject", "in", subjects ?? []))
    .$if(projectId !== undefined, (query) => query.where("project_id", "=", projectId ?? ""))
    .execute();
  const ids = rows.map(({ request_id }) => request_id);
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const some = ids.slice(at, at + IDS_AT_ONCE);
    await Promise.all([
      records.deleteFrom("content_words").where("request_id", "in", some).execute(),
      records.deleteFrom("content_log").where("request_id", "in", some).execute(),
    ]);
  }
  return { contentRows: ids.length, keyIds: keysOf(rows) };
}

const IDS_AT_ONCE = 500;

const keysOf = (rows: readonly { readonly encryption_key: string | null }[]): readonly string[] => [
  ...new Set(rows.flatMap(({ encryption_key: id }) => (id === null ? [] : [id]))),
];

/** Removes kept responses; those of before there were organizations by their time alone. */
export async function eraseStoredResponses(
  core: Kysely<CoreTables>,
  scope: Scope,
): Promise<{ readonly storedResponses: number; readonly keyIds: readonly string[] }> {
  const { organizationId, requestId, subjects, projectId, from = 0, until } = scope;
  // They are found by their own ids, not by their requests'.
  if (requestId !== undefined) return { storedResponses: 0, keyIds: [] };
  const rows = await core
    .deleteFrom("stored_responses")
    .where("organization_id", "=", organizationId)
    .where("created_at", ">=", from)
    .where("created_at", "<=", until)
    .$if(subjects !== undefined, (query) => query.where("subject", "in", subjects ?? []))
    .$if(projectId !== undefined, (query) => query.where("project_id", "=", projectId ?? ""))
    .returning("encryption_key")
    .execute();
  return { storedResponses: rows.length, keyIds: keysOf(rows) };
}

/** Takes the names out of request records: who asked, in which session, under which tags. Sums stay. */
export async function eraseRecordNames(
  records: Kysely<RecordTables>,
  scope: Scope & { readonly endUser?: string | undefined },
): Promise<{ readonly requestRecords: number; readonly feedbackComments: number }> {
  const { organizationId, requestId, projectId, endUser, from = 0, until } = scope;
  const rows = await records
    .selectFrom("request_records")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("started_at", ">=", from)
    .where("started_at", "<=", until)
    .$if(requestId !== undefined, (query) => query.where("id", "=", requestId ?? ""))
    .$if(projectId !== undefined, (query) => query.where("project_id", "=", projectId ?? ""))
    .$if(endUser !== undefined, (query) => query.where("end_user", "=", endUser ?? ""))
    .execute();
  const ids = rows.map(({ id }) => id);
  let feedbackComments = 0;
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const some = ids.slice(at, at + IDS_AT_ONCE);
    const [, comments] = await Promise.all([
      records
        .updateTable("request_records")
        .set({ end_user: null, session_id: null, conversation: null, tags: null })
        .where("id", "in", some)
        .execute(),
      records
        .updateTable("feedback")
        .set({ comment: null, encryption_key: null })
        .where("request_id", "in", some)
        .where("comment", "is not", null)
        .executeTakeFirst(),
    ]);
    feedbackComments += Number(comments.numUpdatedRows);
  }
  return { requestRecords: ids.length, feedbackComments };
}

/** Removes the sums of one person; those of everything else include them still, namelessly. */
export async function eraseUserSums(
  records: Kysely<RecordTables>,
  where: { readonly organizationId: string; readonly endUser: string },
): Promise<void> {
  await records
    .deleteFrom("usage_rollups")
    .where("organization_id", "=", where.organizationId)
    .where("dimension", "=", "user")
    .where("value", "=", where.endUser)
    .execute();
}

/**
 * Removes what budgets for each end user have counted for one, unless money is held there just now,
 * and the names of those counters from holds that have ended. Transfers have no names.
 */
export async function eraseUserCounters(
  core: Kysely<CoreTables>,
  { organizationId, endUser }: { readonly organizationId: string; readonly endUser: string },
): Promise<void> {
  const pattern = `%:${endUser.replaceAll(/[\\%_]/g, "\\$&")}%`;
  await Promise.all([
    core
      .deleteFrom("budget_counters")
      .where("organization_id", "=", organizationId)
      .where("subject", "=", endUser)
      .where("pending", "=", 0)
      .execute(),
    core
      .updateTable("holds")
      .set({ counters: "[]" })
      .where("organization_id", "=", organizationId)
      .where("state", "!=", "open")
      .where(sql<boolean>`counters LIKE ${pattern} ESCAPE '\\'`)
      .execute(),
  ]);
}

/** All end users that records of an organization name. */
export async function listEndUsers(
  records: Kysely<RecordTables>,
  organizationId: string,
): Promise<readonly string[]> {
  const rows = await records
    .selectFrom("request_records")
    .select("end_user")
    .distinct()
    .where("organization_id", "=", organizationId)
    .where("end_user", "is not", null)
    .execute();
  return rows.map(({ end_user }) => end_user ?? "");
}

export async function listProjectIds(
  core: Kysely<CoreTables>,
  organizationId: string,
): Promise<readonly string[]> {
  const rows = await core
    .selectFrom("projects")
    .select("id")
    .where("organization_id", "=", organizationId)
    .execute();
  return rows.map(({ id }) => id);
}
