import type { EmitAlert } from "@turnpike/contract/alerts.ts";

import { watchContentDrops } from "#alerts/content-drops.ts";
import type { PrivacyDesk } from "#http/admin/privacy-desk.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { createStoredResponses } from "#pipeline/stored-responses.ts";
import { createContentLog, type ContentLog } from "#privacy/content-log.ts";
import { erase, erasedBefore, resumeErasures, type EraseDeps } from "#privacy/erase.ts";
import { createEnvelope, type Envelope } from "#privacy/envelope.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { openErasing } from "#privacy/open-erasing.ts";
import { readContent } from "#privacy/read-content.ts";
import { receiptPublicKey } from "#privacy/receipt.ts";
import { deleteExpiredContent } from "#store/content-log.ts";
import { listErasures } from "#store/erasures.ts";
import { findRecord } from "#store/request-records.ts";
import type { Store } from "#store/store.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";

/** What keeps, protects and erases texts. */
export interface Privacy {
  readonly envelope: Envelope;
  /** What requests and answers are kept by. */
  readonly keeping: Pick<Gateway, "responses" | "content">;
  readonly desk: PrivacyDesk;
  readonly contentCounts: ContentLog["counts"];
}

interface Around {
  readonly home: string;
  readonly store: Store;
  readonly master: MasterKey;
  readonly log: Log;
  readonly emitAlert: EmitAlert;
  readonly closers: (() => void | Promise<void>)[];
}

const REFRESH_MS = 500;
const PURGE_MS = 60 * 60 * 1_000;

/** Opens it; ends erasures that a crash has cut before anything is served. */
export async function openPrivacy(around: Around): Promise<Privacy> {
  const { home, store, master, log, emitAlert, closers } = around;
  const { core, records } = store;
  const envelope = createEnvelope({ core, master, now: Date.now });
  const content = createContentLog({
    records,
    envelope,
    erasedSince: async (at) => (await listErasures(core, at)).map(erasedBefore),
    onProblem: (error) => log.warn(errorFacts(error), "texts could not be written; they wait"),
    onDropped: watchContentDrops(emitAlert, Date.now),
  });
  const erasing = openErasing({ home, store, master, envelope });
  const resumed = await resumeErasures(erasing);
  if (resumed > 0) log.info({ erasures: resumed }, "erasures that were cut off are complete");
  const quietly = (work: () => Promise<unknown>) => () => void work().catch(() => undefined);
  const timers = [
    // Destroyed keys are forgotten here too, and all keys when they were not used for a while.
    setInterval(
      quietly(() => envelope.refresh()),
      REFRESH_MS,
    ),
    setInterval(
      quietly(() => deleteExpiredContent(records, Date.now())),
      PURGE_MS,
    ),
  ];
  for (const timer of timers) timer.unref();
  closers.push(async () => {
    for (const timer of timers) clearInterval(timer);
    await content.close();
  });
  const responses = createStoredResponses({ core, master, envelope, now: Date.now });
  return {
    envelope,
    keeping: { responses, content },
    desk: deskOf(erasing, { records, envelope }),
    contentCounts: content.counts,
  };
}

/** What the admin API is given of it. */
const deskOf = (
  erasing: EraseDeps,
  kept: { readonly records: Store["records"]; readonly envelope: Envelope },
): PrivacyDesk => ({
  erase: (organizationId, request) => erase(erasing, organizationId, request),
  publicKey: () => receiptPublicKey(erasing.core, erasing.master, Date.now()),
  requestOf: async (id) => {
    const record = await findRecord(kept.records, id);
    return record && { keyId: record.key_id, projectId: record.project_id };
  },
  readContent: (id) => readContent({ ...kept, now: Date.now }, id),
});
