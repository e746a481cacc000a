import { createHash } from "node:crypto";

import { sql, type Kysely, type Transaction } from "kysely";

import { canonicalJson } from "#lib/canonical-json.ts";
import { escapeLike } from "#store/page.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["audit_entries"];

/** One thing that somebody did: an entry of the audit log as it is stored. */
export type StoredAuditEntry = Readonly<Row>;

/** What an entry says, without its place in the chain. */
export type NewAuditEntry = Readonly<Omit<Row, "seq" | "previous_hash" | "hash">>;

/** What an entry's hash covers: all of it, its number and the hash before it included. */
export const hashOfEntry = ({ hash: _hash, ...entry }: Row): string =>
  createHash("sha256").update(canonicalJson(entry)).digest("hex");

/**
 * Adds an entry at the end of the chain. The head's row stays locked until the transaction ends:
 * writers queue, and the chain cannot fork.
 */
export async function appendAuditEntry(
  transaction: Transaction<CoreTables>,
  entry: NewAuditEntry,
): Promise<void> {
  const head = await transaction
    .updateTable("audit_head")
    .set((row) => ({ seq: row("seq", "+", 1) }))
    .where("id", "=", 1)
    .returning(["seq", "hash"])
    .executeTakeFirstOrThrow();
  const linked = { ...entry, seq: head.seq, previous_hash: head.hash, hash: "" };
  const hash = hashOfEntry(linked);
  await Promise.all([
    transaction
      .insertInto("audit_entries")
      .values({ ...linked, hash })
      .execute(),
    transaction.updateTable("audit_head").set({ hash }).where("id", "=", 1).execute(),
  ]);
}

export interface AuditFilter {
  /** Absent: of all. */
  readonly organizationIds?: readonly string[];
  readonly actorId?: string | undefined;
  /** An action, or the beginning of one that ends in a dot: `keys.`. */
  readonly action?: string | undefined;
  readonly targetId?: string | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

interface AuditPage extends AuditFilter {
  /** Entries before this number; absent: from the last on. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Entries, the newest first. */
export async function listAuditEntries(
  core: Kysely<CoreTables>,
  { before, limit, ...filter }: AuditPage,
): Promise<readonly StoredAuditEntry[]> {
  let query = core.selectFrom("audit_entries").selectAll();
  const { organizationIds, actorId, action, targetId, from, until } = filter;
  if (organizationIds !== undefined) {
    if (organizationIds.length === 0) return [];
    query = query.where("organization_id", "in", organizationIds);
  }
  if (actorId !== undefined) query = query.where("actor_id", "=", actorId);
  if (action !== undefined) {
    query = action.endsWith(".")
      ? query.where(sql<boolean>`action LIKE ${`${escapeLike(action)}%`} ESCAPE '!'`)
      : query.where("action", "=", action);
  }
  if (targetId !== undefined) query = query.where("target_id", "=", targetId);
  if (from !== undefined) query = query.where("at", ">=", from);
  if (until !== undefined) query = query.where("at", "<", until);
  if (before !== undefined) query = query.where("seq", "<", before);
  return query.orderBy("seq", "desc").limit(limit).execute();
}

/** Up to `limit` entries after a number, the oldest first. */
export const auditEntriesAfter = (
  core: Kysely<CoreTables>,
  seq: number,
  limit: number,
): Promise<readonly StoredAuditEntry[]> =>
  core
    .selectFrom("audit_entries")
    .selectAll()
    .where("seq", ">", seq)
    .orderBy("seq")
    .limit(limit)
    .execute();

/** The number and hash of the last entry. */
export const auditHead = (
  core: Kysely<CoreTables>,
): Promise<{ readonly seq: number; readonly hash: string } | undefined> =>
  core.selectFrom("audit_head").select(["seq", "hash"]).where("id", "=", 1).executeTakeFirst();
