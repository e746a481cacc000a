import type { AuditEntryView } from "@turnpike/contract/api/audit.ts";

import { timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Reach } from "#governance/reach.ts";
import { platformAdminsOf } from "#store/memberships.ts";
import { listAuditEntries, type AuditFilter, type StoredAuditEntry } from "#store/audit.ts";

export const auditEntryView = (row: StoredAuditEntry): AuditEntryView => ({
  object: "audit_entry",
  seq: row.seq,
  id: row.id,
  at: timeText(row.at),
  organization_id: row.organization_id,
  actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, via: row.via },
  action: row.action,
  target: { kind: row.target_kind, id: row.target_id },
  before: row.before_state === null ? null : (JSON.parse(row.before_state) as unknown),
  after: row.after_state === null ? null : (JSON.parse(row.after_state) as unknown),
  ip: row.ip,
  request_id: row.request_id,
  previous_hash: row.previous_hash,
  hash: row.hash,
});

/** Filters as the API and the command line take them. */
export interface AuditQuery {
  readonly actor_id?: string | undefined;
  readonly action?: string | undefined;
  readonly target_id?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

const filterOf = (query: AuditQuery, reach: Reach): AuditFilter => ({
  ...(reach !== "all" && { organizationIds: reach.organizationIds }),
  actorId: query.actor_id,
  action: query.action,
  targetId: query.target_id,
  from: query.from === undefined ? undefined : Date.parse(query.from),
  until: query.until === undefined ? undefined : Date.parse(query.until),
});

interface Wanted {
  readonly reach: Reach;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Who reads, and where. */
type Reading = Pick<Deed, "core" | "actor">;

/** Entries within reach, the newest first, as the reader may see them. */
export async function auditPage(
  { core, actor }: Reading,
  query: AuditQuery,
  { reach, before, limit }: Wanted,
): Promise<readonly StoredAuditEntry[]> {
  const rows = await listAuditEntries(core, { ...filterOf(query, reach), before, limit });
  if (actor.isPlatformAdmin) return rows;
  const ids = new Set(rows.flatMap((row) => row.actor_id ?? []));
  const admins = await platformAdminsOf(core, [...ids]);
  return rows.map((row) => {
    const organizations = admins.get(row.actor_id ?? "");
    const isStranger = organizations?.has(row.organization_id ?? "") === false;
    return isStranger || row.actor_kind === "operator" ? { ...row, ...NAMELESS } : row;
  });
}

/**
 * Who runs the platform and is no member of the organization is nobody whom it knows: that it was the
 * platform is all that it is told.
 */
const NAMELESS = {
  actor_kind: "operator",
  actor_id: null,
  actor_name: "platform operator",
  via: "platform",
  ip: null,
} as const;

const BATCH = 500;

/** Entries within reach as JSON Lines, the newest first. */
export async function* auditLines(
  deed: Reading,
  query: AuditQuery,
  reach: Reach,
): AsyncGenerator<string> {
  let before: number | undefined;
  for (;;) {
    const rows = await auditPage(deed, query, { reach, before, limit: BATCH });
    for (const row of rows) yield `${JSON.stringify(auditEntryView(row))}\n`;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    before = last.seq;
  }
}
