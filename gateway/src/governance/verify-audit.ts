import type { Kysely } from "kysely";

import { auditEntriesAfter, auditHead, hashOfEntry, type StoredAuditEntry } from "#store/audit.ts";
import type { CoreTables } from "#store/schema.ts";

/** The end of a chain, to be written down somewhere else: who has it can prove that nothing before changed. */
export interface AuditAnchor {
  readonly seq: number;
  readonly hash: string;
}

export type AuditVerdict =
  | { readonly intact: true; readonly entries: number; readonly head: AuditAnchor }
  | {
      readonly intact: false;
      /** The first entry that is not as it was written, or is missing. */
      readonly broken: {
        readonly seq: number;
        readonly id: string | null;
        readonly reason: string;
      };
    };

const BATCH = 1_000;
const GENESIS = "0".repeat(64);

/**
 * Reads the whole chain and reckons each hash anew. An `anchor` of an earlier verification finds a
 * chain that was written anew as a whole, too.
 */
export async function verifyAudit(
  core: Kysely<CoreTables>,
  anchor?: AuditAnchor,
): Promise<AuditVerdict> {
  // Read first: what is written meanwhile comes after it, and is not judged.
  const head = await auditHead(core);
  const fault =
    head === undefined
      ? ([1, null, "the end of the chain is not known: its row is gone"] as const)
      : ((await faultInChain(core, head, anchor)) ?? (await faultAtEnd(core, head, anchor)));
  if (fault === undefined && head !== undefined) return { intact: true, entries: head.seq, head };
  const [seq, id, reason] = fault ?? [1, null, ""];
  return { intact: false, broken: { seq, id, reason } };
}

/** The first entry up to the head that is not as it was written. */
async function faultInChain(
  core: Kysely<CoreTables>,
  head: AuditAnchor,
  anchor: AuditAnchor | undefined,
): Promise<Fault | undefined> {
  let last: AuditAnchor = { seq: 0, hash: GENESIS };
  while (last.seq < head.seq) {
    const entries = await auditEntriesAfter(core, last.seq, BATCH);
    for (const entry of entries.filter(({ seq }) => seq <= head.seq)) {
      const fault = faultOf(entry, last, anchor);
      if (fault !== undefined) return fault;
      last = entry;
    }
    if ((entries[0]?.seq ?? Infinity) > head.seq) {
      return [last.seq + 1, null, `entries from ${last.seq + 1} to ${head.seq} are missing`];
    }
  }
  return last.hash === head.hash
    ? undefined
    : [last.seq, null, "the end of the chain is another one than was noted"];
}

async function faultAtEnd(
  core: Kysely<CoreTables>,
  head: AuditAnchor,
  anchor: AuditAnchor | undefined,
): Promise<Fault | undefined> {
  if (anchor !== undefined && anchor.seq > head.seq) {
    return [head.seq + 1, null, `the chain ended at ${anchor.seq} when the anchor was taken`];
  }
  const [beyond] = await auditEntriesAfter(core, head.seq, 1);
  // An entry that was written while this read has moved the head; a forged one has not.
  const isForged = beyond !== undefined && ((await auditHead(core))?.seq ?? 0) < beyond.seq;
  return isForged ? [beyond.seq, beyond.id, "it stands after the end of the chain"] : undefined;
}

type Fault = readonly [seq: number, id: string | null, reason: string];

function faultOf(
  entry: StoredAuditEntry,
  last: AuditAnchor,
  anchor: AuditAnchor | undefined,
): Fault | undefined {
  const { seq, id, previous_hash: previous } = entry;
  if (seq !== last.seq + 1)
    return [last.seq + 1, null, `it is missing; ${seq} follows ${last.seq}`];
  if (previous !== last.hash) return [seq, id, "it does not follow the entry before it"];
  if (hashOfEntry(entry) !== entry.hash) return [seq, id, "it was changed after it was written"];
  if (anchor?.seq === seq && anchor.hash !== entry.hash) {
    return [seq, id, "it is not the entry that the anchor was taken of"];
  }
  return undefined;
}
