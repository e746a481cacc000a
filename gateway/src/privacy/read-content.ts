import type { Kysely } from "kysely";

import type { Envelope } from "#privacy/envelope.ts";
import { blindWord, wordsOf } from "#privacy/search-words.ts";
import { findByWords, findContent, type ContentRow } from "#store/content-log.ts";
import type { RecordTables } from "#store/schema.ts";

interface Deps {
  readonly records: Kysely<RecordTables>;
  readonly envelope: Pick<Envelope, "open" | "indexKey">;
  readonly now: () => number;
}

/** The text of a request as it was kept. */
export interface Content {
  readonly state: ContentRow["state"];
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Sealed: base64 of what only the holder of the private key can open. */
  readonly request: string | null;
  readonly answer: string | null;
}

/**
 * Opens a kept text; `undefined` where none is kept, or its key was destroyed. Who may read it is
 * the caller's to check, and to put into the audit log.
 */
export async function readContent(
  { records, envelope, now }: Deps,
  requestId: string,
): Promise<Content | undefined> {
  const row = await findContent(records, { requestId, now: now() });
  if (row === undefined) return undefined;
  const facts = { state: row.state, createdAt: row.created_at, expiresAt: row.expires_at };
  if (row.state === "content_dropped") return { ...facts, request: null, answer: null };
  const [request, answer] = [Buffer.from(row.request ?? []), Buffer.from(row.answer ?? [])];
  if (row.state === "sealed") {
    return { ...facts, request: request.toString("base64"), answer: answer.toString("base64") };
  }
  const plain = await envelope.open({
    organizationId: row.organization_id,
    recordId: requestId,
    keyId: row.encryption_key ?? "",
    fields: { request, answer },
  });
  if (plain === undefined) return undefined;
  const text = (name: string): string => plain[name]?.toString("utf8") ?? "";
  return { ...facts, request: text("request"), answer: text("answer") };
}

/** Requests of an organization whose kept text has all words of a query, where it is searchable. */
export async function searchContent(
  { records, envelope }: Pick<Deps, "records" | "envelope">,
  organizationId: string,
  query: string,
): Promise<readonly string[]> {
  const found = wordsOf(query);
  if (found.length === 0) return [];
  const key = await envelope.indexKey(organizationId);
  const words = found.map((word) => blindWord(key, word));
  return findByWords(records, { organizationId, words });
}
