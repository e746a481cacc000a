import { appendFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import type { Kysely } from "kysely";

import { newId } from "#lib/ids.ts";
import { recordedName, subjectOf } from "#privacy/content-owner.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { ErasedBefore, ErasureTarget } from "#privacy/erasure-target.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { signReceipt, type Receipt } from "#privacy/receipt.ts";
import { destroyKeys } from "#store/encryption-keys.ts";
import {
  completeErasure,
  eraseContentRows,
  eraseRecordNames,
  eraseStoredResponses,
  eraseUserCounters,
  eraseUserSums,
  insertErasure,
  listEndUsers,
  listErasures,
  listProjectIds,
  type ErasureRow,
  type Scope,
} from "#store/erasures.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";

/** What somebody wants to have erased. */
export type ErasureRequest =
  | Exclude<ErasureTarget, { readonly kind: "subject" }>
  /** A person, by the id that requests named. */
  | { readonly kind: "subject"; readonly endUser: string };

export interface EraseDeps {
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
  readonly envelope: Pick<Envelope, "pseudonym" | "refresh">;
  readonly master: Pick<MasterKey, "seal" | "open">;
  readonly now: () => number;
  /** Empties what databases keep of removed rows. */
  readonly compact: () => Promise<void>;
  /** Also kept outside of the database: a backup that is restored has it not. */
  readonly listFile?: string;
  /** Milliseconds until every gateway knows: what they had on the way is removed after it. */
  readonly settleMs?: number;
}

/** Gateways trust a key for a second; they write what they had on the way in one more moment. */
const SETTLE_MS = 1_500;
/** How long the documentation asks operators to keep backups at most. */
const BACKUP_DAYS = 30;

interface Erasing extends ErasedBefore {
  readonly endUsers: readonly string[];
}

/**
 * Erases: destroys keys, removes rows, takes names out of records, waits until no gateway can write
 * anything of it any more, and does it again. Resolves with the signed receipt. The ledger and the
 * audit log stay: they hold amounts and ids.
 */
export async function erase(
  deps: EraseDeps,
  organizationId: string,
  request: ErasureRequest,
): Promise<Receipt> {
  const requestedAt = deps.now();
  const target = await targetOf(deps, organizationId, request);
  const row: ErasureRow = {
    id: newId("era_", requestedAt),
    organization_id: organizationId,
    target: JSON.stringify(target),
    requested_at: requestedAt,
    completed_at: null,
    receipt: null,
  };
  // Noted first: an erasure that breaks off is done again at the next start.
  await insertErasure(deps.core, row);
  if (deps.listFile !== undefined)
    await appendFile(deps.listFile, `${JSON.stringify(row)}\n`, LIST);
  const endUsers = request.kind === "subject" ? [recordedName(request.endUser)] : [];
  return complete(deps, row, { organizationId, target, requestedAt, endUsers });
}

const LIST = { mode: 0o600, flush: true } as const;

async function complete(deps: EraseDeps, row: ErasureRow, erasing: Erasing): Promise<Receipt> {
  const first = await sweep(deps, erasing);
  await deps.envelope.refresh();
  await sleep(deps.settleMs ?? SETTLE_MS);
  const counts = sumOf(first, await sweep(deps, erasing));
  await deps.compact();
  const completedAt = deps.now();
  const { core, master } = deps;
  const receipt = await signReceipt(
    { core, master, now: completedAt },
    {
      erasure_id: row.id,
      organization_id: row.organization_id,
      target: erasing.target,
      requested_at: new Date(row.requested_at).toISOString(),
      completed_at: new Date(completedAt).toISOString(),
      counts,
      backup_days: BACKUP_DAYS,
    },
  );
  await completeErasure(core, row.id, { completedAt, receipt: JSON.stringify(receipt) });
  return receipt;
}

async function targetOf(
  { core, envelope }: EraseDeps,
  organizationId: string,
  request: ErasureRequest,
): Promise<ErasureTarget> {
  if (request.kind !== "subject") return request;
  const projects = await listProjectIds(core, organizationId);
  const { endUser } = request;
  const subjects = projects.map((projectId) =>
    envelope.pseudonym(organizationId, subjectOf({ organizationId, projectId, endUser })),
  );
  return { kind: "subject", subjects };
}

const COUNTED = [
  "keys",
  "content_rows",
  "stored_responses",
  "request_records",
  "feedback_comments",
] as const;
type Counts = Readonly<Record<(typeof COUNTED)[number], number>>;

const sumOf = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(COUNTED.map((name) => [name, a[name] + b[name]])) as Counts;

/** Once over everything. Repeated it finds what came meanwhile, or nothing. */
async function sweep(deps: EraseDeps, erasing: Erasing): Promise<Counts> {
  const { core, records } = deps;
  const { organizationId, endUsers } = erasing;
  const scope = scopeOf(erasing);
  const early = await destroyTargetKeys(deps, erasing);
  const content = await eraseContentRows(records, scope);
  const stored = await eraseStoredResponses(core, scope);
  const users = erasing.target.kind === "subject" ? endUsers : [undefined];
  let [requestRecords, feedbackComments] = [0, 0];
  for (const endUser of users) {
    const named = await eraseRecordNames(records, { ...scope, endUser });
    requestRecords += named.requestRecords;
    feedbackComments += named.feedbackComments;
    if (endUser === undefined) continue;
    await eraseUserSums(records, { organizationId, endUser });
    await eraseUserCounters(core, { organizationId, endUser });
  }
  // A project's texts have keys of their own: with its last row no one needs them.
  const late =
    erasing.target.kind === "project"
      ? await destroyKeys(core, { organizationId, ids: [...content.keyIds, ...stored.keyIds] })
      : [];
  return {
    keys: early + late.length,
    content_rows: content.contentRows,
    stored_responses: stored.storedResponses,
    request_records: requestRecords,
    feedback_comments: feedbackComments,
  };
}

/** A record, or a range of time, shares its keys with what stays: there rows are removed only. */
async function destroyTargetKeys(
  { core, envelope }: EraseDeps,
  { organizationId, target, requestedAt }: Erasing,
): Promise<number> {
  const selection = { organizationId, purpose: "content", madeUntil: requestedAt } as const;
  switch (target.kind) {
    case "organization":
      return (await destroyKeys(core, selection)).length;
    case "subject":
      return (await destroyKeys(core, { ...selection, subjects: target.subjects })).length;
    case "project": {
      const subject = envelope.pseudonym(organizationId, { kind: "project", id: target.projectId });
      return (await destroyKeys(core, { ...selection, subjects: [subject] })).length;
    }
    default:
      return 0;
  }
}

function scopeOf({ organizationId, target, requestedAt }: Erasing): Scope {
  const scope = { organizationId, until: requestedAt };
  switch (target.kind) {
    case "record":
      return { ...scope, requestId: target.requestId };
    case "subject":
      return { ...scope, subjects: target.subjects };
    case "project":
      return { ...scope, projectId: target.projectId };
    case "range":
      return {
        ...scope,
        projectId: target.projectId,
        from: target.from,
        until: Math.min(requestedAt, target.to - 1),
      };
    case "organization":
      return scope;
  }
}

export const erasedBefore = (row: ErasureRow): ErasedBefore => ({
  organizationId: row.organization_id,
  target: JSON.parse(row.target) as ErasureTarget,
  requestedAt: row.requested_at,
});

/**
 * Does a list of erasures again on a store that may be older than they are. For `turnpike restore`,
 * before anything is served; also ends those that a crash has cut. Resolves with how many it did.
 */
export async function replayErasures(
  deps: EraseDeps,
  rows: readonly ErasureRow[],
): Promise<number> {
  for (const row of rows) {
    await insertErasure(deps.core, { ...row, completed_at: null, receipt: null });
    const erased = erasedBefore(row);
    await complete(deps, row, { ...erased, endUsers: await endUsersOf(deps, erased) });
  }
  return rows.length;
}

/** Ends what a crash has cut. */
export async function resumeErasures(deps: EraseDeps): Promise<number> {
  const rows = await listErasures(deps.core);
  return replayErasures(
    deps,
    rows.filter(({ completed_at }) => completed_at === null),
  );
}

/** The list has pseudonyms only: whose they are is found by making those of all names that are there. */
async function endUsersOf(
  { core, records, envelope }: EraseDeps,
  { organizationId, target }: ErasedBefore,
): Promise<readonly string[]> {
  if (target.kind !== "subject") return [];
  const projects = await listProjectIds(core, organizationId);
  const wanted = new Set(target.subjects);
  const names = await listEndUsers(records, organizationId);
  return names.filter((endUser) =>
    projects.some((projectId) =>
      wanted.has(
        envelope.pseudonym(organizationId, subjectOf({ organizationId, projectId, endUser })),
      ),
    ),
  );
}
