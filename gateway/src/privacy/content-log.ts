import type { KeyObject } from "node:crypto";

import type { Kysely } from "kysely";

import type { Envelope, Subject } from "#privacy/envelope.ts";
import { isErased, type ErasedBefore } from "#privacy/erasure-target.ts";
import { redactContent } from "#privacy/redact-content.ts";
import { sealContent } from "#privacy/sealed-content.ts";
import { blindWord, wordsOf } from "#privacy/search-words.ts";
import { insertContent, type ContentRow, type IndexedContent } from "#store/content-log.ts";
import type { RecordTables } from "#store/schema.ts";

/** The text of one request and its answer, and what its project decided about it. */
export interface ContentEntry {
  readonly requestId: string;
  readonly organizationId: string;
  readonly projectId: string;
  /** Whose text it is. */
  readonly subject: Subject;
  /** Unix milliseconds. */
  readonly at: number;
  readonly expiresAt: number;
  readonly redact: boolean;
  readonly searchable: boolean;
  /** Sealed mode: only its owner reads it. */
  readonly publicKey?: KeyObject;
  readonly request: string;
  readonly answer: string;
}

export interface ContentLog {
  /** Takes an entry over; never waits and never fails: the oldest are dropped where there are too many. */
  offer(entry: ContentEntry): void;
  /** How many entries were dropped, and how many bytes wait. */
  readonly counts: () => { readonly dropped: number; readonly waitingBytes: number };
  /** Resolves when nothing waits any more. */
  settled(): Promise<void>;
  /** Writes what waits, for at most ten seconds. */
  close(): Promise<void>;
}

interface Deps {
  readonly records: Kysely<RecordTables>;
  readonly envelope: Pick<Envelope, "sealFor" | "pseudonym" | "indexKey">;
  /** Erasures that were asked for since a time. */
  readonly erasedSince: (at: number) => Promise<readonly ErasedBefore[]>;
  readonly onProblem: (error: unknown) => void;
  /** Told of each entry whose text is lost; its `request` and `answer` are not to be read. */
  readonly onDropped: (entry: Pick<ContentEntry, "organizationId" | "requestId">) => void;
  /** Bytes that may wait. */
  readonly capacityBytes?: number;
}

const CAPACITY_BYTES = 64 * 1024 * 1024;
const BATCH = 32;
const RETRY_MS = 500;
const CLOSE_MS = 10_000;

interface Waiting {
  readonly entry: ContentEntry;
  readonly bytes: number;
  /** Its text is gone; that it was there is written. */
  dropped: boolean;
}

interface State extends Deps {
  readonly capacity: number;
  readonly queue: Waiting[];
  bytes: number;
  dropped: number;
  closing: boolean;
  running: Promise<void> | undefined;
}

/** The opt-in log of texts: written after the answer, off the request's path. */
export function createContentLog(deps: Deps): ContentLog {
  const state: State = {
    ...deps,
    capacity: deps.capacityBytes ?? CAPACITY_BYTES,
    queue: [],
    bytes: 0,
    dropped: 0,
    closing: false,
    running: undefined,
  };
  const settled = async (): Promise<void> => {
    while (state.running !== undefined) await state.running;
  };
  return {
    counts: () => ({ dropped: state.dropped, waitingBytes: state.bytes }),
    settled,
    offer: (entry) => {
      if (state.closing) return;
      const bytes = 2 * (entry.request.length + entry.answer.length);
      state.queue.push({ entry, bytes, dropped: false });
      state.bytes += bytes;
      dropOldest(state);
      state.running ??= run(state);
    },
    close: async () => {
      state.closing = true;
      await Promise.race([settled(), afterMs(CLOSE_MS)]);
      for (const waiting of state.queue.splice(0)) {
        if (!waiting.dropped) noteDropped(state, waiting);
      }
    },
  };
}

const afterMs = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** Keeps the newest: what happens now is what somebody will look for. */
function dropOldest(state: State): void {
  for (let at = 0; state.bytes > state.capacity && at < state.queue.length; at++) {
    const waiting = state.queue[at] as Waiting;
    if (waiting.dropped) continue;
    state.queue[at] = {
      bytes: 0,
      dropped: true,
      entry: { ...waiting.entry, request: "", answer: "" },
    };
    state.bytes -= waiting.bytes;
    noteDropped(state, waiting);
  }
}

function noteDropped(state: State, { entry }: Waiting): void {
  state.dropped++;
  state.onDropped(entry);
}

async function run(state: State): Promise<void> {
  // Not in the turn of the request: its answer has just been sent.
  await afterMs(0);
  while (state.queue.length > 0) {
    const batch = state.queue.slice(0, BATCH);
    try {
      await write(state, batch);
    } catch (error) {
      state.onProblem(error);
      if (state.closing) break;
      await afterMs(RETRY_MS);
      continue;
    }
    // Only now: what was not committed is still in the queue.
    const done = new Set(batch.map(({ entry }) => entry.requestId));
    const kept = state.queue.filter(({ entry }) => !done.has(entry.requestId));
    state.queue.splice(0, state.queue.length, ...kept);
    state.bytes = state.queue.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  state.running = undefined;
}

async function write(state: State, batch: readonly Waiting[]): Promise<void> {
  const oldest = Math.min(...batch.map(({ entry }) => entry.at));
  const erased = await state.erasedSince(oldest);
  const rows: IndexedContent[] = [];
  for (const { entry, dropped } of batch) {
    const subject = state.envelope.pseudonym(entry.organizationId, entry.subject);
    if (erased.some((one) => isErased({ ...entry, subject }, one))) continue;
    rows.push(dropped ? { row: rowOf(entry, subject), words: [] } : await kept(state, entry));
  }
  if (rows.length > 0) await insertContent(state.records, rows);
}

const rowOf = (entry: ContentEntry, subject: string): ContentRow => ({
  request_id: entry.requestId,
  organization_id: entry.organizationId,
  project_id: entry.projectId,
  subject,
  created_at: entry.at,
  expires_at: entry.expiresAt,
  state: "content_dropped",
  encryption_key: null,
  request: null,
  answer: null,
});

async function kept(state: State, entry: ContentEntry): Promise<IndexedContent> {
  const { organizationId, requestId, publicKey } = entry;
  const subject = state.envelope.pseudonym(organizationId, entry.subject);
  const texts = entry.redact
    ? { request: redactContent(entry.request), answer: redactContent(entry.answer) }
    : entry;
  const fields = { request: Buffer.from(texts.request), answer: Buffer.from(texts.answer) };
  const row = rowOf(entry, subject);
  if (publicKey !== undefined) {
    const about = { organization: organizationId, request: requestId };
    const sealed = (field: "request" | "answer"): Buffer =>
      sealContent(publicKey, fields[field], { ...about, field });
    const both = { request: sealed("request"), answer: sealed("answer") };
    // Without an index: what the gateway could look up it could guess.
    return { row: { ...row, state: "sealed", ...both }, words: [] };
  }
  const scope = { organizationId, purpose: "content", subject: entry.subject } as const;
  const { keyId, fields: sealed } = await state.envelope.sealFor(scope, requestId, fields);
  const { request = null, answer = null } = sealed;
  return {
    row: { ...row, state: "kept", encryption_key: keyId, request, answer },
    words: entry.searchable ? await blindWords(state, organizationId, texts) : [],
  };
}

async function blindWords(
  { envelope }: State,
  organizationId: string,
  { request, answer }: { readonly request: string; readonly answer: string },
): Promise<readonly string[]> {
  const key = await envelope.indexKey(organizationId);
  return wordsOf(`${request} ${answer}`).map((word) => blindWord(key, word));
}
