import type { Transaction } from "kysely";

import { AUDIT_FIELDS, type AuditTarget } from "#governance/audit-fields.ts";
import type { Deed } from "#governance/deed.ts";
import { canonicalJson } from "#lib/canonical-json.ts";
import { newId } from "#lib/ids.ts";
import { appendAuditEntry } from "#store/audit.ts";
import { changeDirectory } from "#store/directory-version.ts";
import type { CoreTables } from "#store/schema.ts";

/** One thing that is done, as the audit log tells it. */
export interface AuditEvent {
  /** `keys.create`. */
  readonly action: string;
  readonly target: { readonly kind: AuditTarget; readonly id: string };
  /** `null`: it concerns the platform. */
  readonly organizationId: string | null;
  /** What was there; only the fields of `AUDIT_FIELDS` are kept. */
  readonly before?: object | undefined;
  readonly after?: object | undefined;
}

type Doer = Pick<Deed, "actor" | "now" | "ip" | "requestId">;

/** Writes an entry in the transaction of what it tells of: there is no deed without its entry. */
export async function writeAudit(
  transaction: Transaction<CoreTables>,
  { actor, now, ip, requestId }: Doer,
  { action, target, organizationId, before, after }: AuditEvent,
): Promise<void> {
  await appendAuditEntry(transaction, {
    id: newId("aud_", now),
    at: now,
    organization_id: organizationId,
    actor_kind: actor.kind,
    actor_id: actor.userId,
    actor_name: actor.name,
    via: `${actor.via.kind}:${actor.via.id}`,
    action,
    target_kind: target.kind,
    target_id: target.id,
    before_state: shown(target.kind, before),
    after_state: shown(target.kind, after),
    ip,
    request_id: requestId,
  });
}

/** What may be shown of a thing: the listed fields of it. JSON of `settings` and `document` is opened. */
function shown(kind: AuditTarget, state: object | undefined): string | null {
  if (state === undefined) return null;
  const fields: readonly string[] = AUDIT_FIELDS[kind];
  const entries = Object.entries(state).filter(([name]) => fields.includes(name));
  return canonicalJson(Object.fromEntries(entries.map(([name, value]) => [name, opened(value)])));
}

const opened = (value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
};

/** A change of the directory under way. */
export interface Change {
  readonly transaction: Transaction<CoreTables>;
  /** What the rows that are written carry. */
  readonly version: number;
  /** Tells the audit log; in the same transaction. */
  readonly audit: (event: AuditEvent) => Promise<void>;
}

/** Changes the directory and tells the audit log, all or nothing. */
export const changeAudited = <Result>(
  deed: Deed,
  change: (change: Change) => Promise<Result>,
): Promise<Result> =>
  deed.within === undefined
    ? changeDirectory(deed.core, (transaction, version) =>
        change({
          transaction,
          version,
          audit: (event) => writeAudit(transaction, deed, event),
        }),
      )
    : change(deed.within);

/** Does several things as one change: all of them are done, or none. */
export const asOneChange = <Result>(
  deed: Deed,
  act: (deed: Deed) => Promise<Result>,
): Promise<Result> =>
  changeAudited(deed, (change) => act({ ...deed, core: change.transaction, within: change }));
