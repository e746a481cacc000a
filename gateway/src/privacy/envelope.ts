import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from "node:crypto";

import type { Kysely } from "kysely";

import { newId } from "#lib/ids.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import {
  erasureVersion,
  findKeyById,
  findNewestKey,
  insertKey,
  takeUses,
  type EncryptionKeyRow,
  type KeyPurpose,
} from "#store/encryption-keys.ts";
import type { CoreTables } from "#store/schema.ts";

/** Whose text or credential it is: a person, a project, or whatever else can be erased by itself. */
export interface Subject {
  readonly kind: "end-user" | "project" | "credential" | "feedback";
  readonly id: string;
}

export interface SealScope {
  readonly organizationId: string;
  /** Content and credentials hang on different organization keys. */
  readonly purpose: KeyPurpose;
  readonly subject: Subject;
}

/** Fields of one record, each encrypted by itself. */
export interface SealedFields {
  /** Stored beside the fields: which key opens them. */
  readonly keyId: string;
  readonly fields: Readonly<Record<string, Buffer>>;
}

export interface SealedRecord extends SealedFields {
  readonly organizationId: string;
  readonly recordId: string;
}

export type Plain = Readonly<Record<string, Buffer>>;

/** Envelope encryption: master key → organization key → subject key → AES-256-GCM of each field. */
export interface Envelope {
  /** Seals each field to its organization, record, name and key: put elsewhere, it does not open. */
  sealFor(scope: SealScope, recordId: string, fields: Plain): Promise<SealedFields>;
  /** `undefined`: the key was destroyed. Throws where a field was changed or belongs elsewhere. */
  open(record: SealedRecord): Promise<Plain | undefined>;
  /** What stands for a subject in tables: the same subject has the same, and nobody can go back. */
  pseudonym(organizationId: string, subject: Subject): string;
  /** A key of the organization for its search index; `undefined` where it has none yet. */
  indexKey(organizationId: string): Promise<Buffer>;
  /** Looks whether keys were destroyed, and forgets all where that is so. */
  refresh(): Promise<void>;
}

interface Options {
  readonly core: Kysely<CoreTables>;
  readonly master: Pick<MasterKey, "seal" | "open" | "id" | "subjectKey">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A destroyed key works nowhere after this: reference/reliability.md §5.4 asks for a second. */
const TRUSTED_MS = 1_000;
const FORGET_MS = 5 * 60 * 1_000;
const MAX_CACHED = 10_000;
/** NIST SP 800-38D §8.3: 2^32 random nonces a key at most; half of that. */
const MAX_USES = 2 ** 31;
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1_000;
/** Uses are counted in the store by the thousand: gateways share a key without a write a record. */
const LEASE = 4_096;

interface Held {
  readonly key: KeyObject;
  readonly readAt: number;
}

interface Active {
  readonly keyId: string;
  readonly retireAt: number;
  left: number;
}

interface State extends Options {
  readonly held: Map<string, Held>;
  readonly active: Map<string, Active>;
  version: number;
  checkedAt: number;
}

export function createEnvelope(options: Options): Envelope {
  const state: State = {
    ...options,
    held: new Map(),
    active: new Map(),
    version: -1,
    checkedAt: Number.NEGATIVE_INFINITY,
  };
  const pseudonym: Envelope["pseudonym"] = (organizationId, { kind, id }) =>
    createHmac("sha256", options.master.subjectKey)
      .update(JSON.stringify([organizationId, kind, id]))
      .digest("base64url")
      .slice(0, 32);
  return {
    pseudonym,
    refresh: () => check(state),
    sealFor: async (scope, recordId, fields) => {
      await trust(state);
      const { organizationId, purpose } = scope;
      const subject = pseudonym(organizationId, scope.subject);
      const keyId = await takeActive(state, { organizationId, purpose, subject });
      const key = await unwrapped(state, keyId);
      if (key === undefined) throw new Error("an encryption key was destroyed while it was used");
      const sealed: Record<string, Buffer> = {};
      for (const name in fields) {
        const context = aad({ organizationId, recordId, keyId }, name);
        sealed[name] = encrypt(key, fields[name] as Buffer, context);
      }
      return { keyId, fields: sealed };
    },
    open: async (record) => {
      await trust(state);
      const key = await unwrapped(state, record.keyId);
      if (key === undefined) return undefined;
      const plain: Record<string, Buffer> = {};
      for (const name in record.fields) {
        plain[name] = decrypt(key, record.fields[name] as Buffer, aad(record, name));
      }
      return plain;
    },
    indexKey: async (organizationId) => {
      await trust(state);
      const { id } = await newest(state, { organizationId, purpose: "content", subject: "" });
      const key = await unwrapped(state, id);
      if (key === undefined) throw new Error("an encryption key was destroyed while it was used");
      return createHmac("sha256", key).update("turnpike search index").digest();
    },
  };
}

const aad = (
  { organizationId, recordId, keyId }: Omit<SealedRecord, "fields">,
  field: string,
): Buffer => Buffer.from(JSON.stringify([organizationId, recordId, field, keyId]));

/** Another gateway may have destroyed keys: within a second this one knows, or asks before it goes on. */
async function trust(state: State): Promise<void> {
  if (state.now() - state.checkedAt >= TRUSTED_MS) await check(state);
}

async function check(state: State): Promise<void> {
  const asked = state.now();
  const version = await erasureVersion(state.core);
  if (version !== state.version) {
    state.held.clear();
    state.active.clear();
    state.version = version;
  }
  for (const [id, { readAt }] of state.held) {
    if (asked - readAt >= FORGET_MS) state.held.delete(id);
  }
  state.checkedAt = asked;
}

interface Owner {
  readonly organizationId: string;
  readonly purpose: KeyPurpose;
  /** Pseudonym; empty: the organization's own key. */
  readonly subject: string;
}

/** The key for a new record of a subject; a new one where the last is worn or old. */
async function takeActive(state: State, owner: Owner): Promise<string> {
  const name = `${owner.organizationId}|${owner.purpose}|${owner.subject}`;
  const active = state.active.get(name);
  if (active !== undefined && active.left > 0 && state.now() < active.retireAt) {
    active.left -= 1;
    return active.keyId;
  }
  const row = await newest(state, owner);
  const used = await takeUses(state.core, row.id, LEASE);
  if (used === undefined) throw new Error("an encryption key was destroyed while it was used");
  const retireAt = row.created_at + MAX_AGE_MS;
  keep(state.active, name, { keyId: row.id, retireAt, left: LEASE - 1 });
  return row.id;
}

async function newest(state: State, owner: Owner): Promise<EncryptionKeyRow> {
  const row = await findNewestKey(state.core, owner);
  if (row !== undefined && !isWorn(row, state.now())) return row;
  await insertKey(state.core, await makeKey(state, owner, (row?.epoch ?? 0) + 1));
  // Not the one just made: another gateway may have been first.
  const made = await findNewestKey(state.core, owner);
  if (made === undefined) throw new Error("an encryption key was destroyed while it was made");
  return made;
}

/** Organization keys wrap a key a subject and month: they do not wear. */
const isWorn = (row: EncryptionKeyRow, now: number): boolean =>
  row.level === "subject" && (row.uses + LEASE > MAX_USES || now >= row.created_at + MAX_AGE_MS);

async function makeKey(state: State, owner: Owner, epoch: number): Promise<EncryptionKeyRow> {
  const { organizationId, purpose, subject } = owner;
  const level = subject === "" ? "organization" : "subject";
  const id = newId(level === "organization" ? "kek_" : "dek_", state.now());
  const plain = randomBytes(32);
  const context = wrapContext({ id, organization_id: organizationId, purpose });
  const by = level === "organization" ? undefined : await newest(state, { ...owner, subject: "" });
  const wrapped =
    by === undefined
      ? state.master.seal(plain, context)
      : encrypt(await needed(state, by.id), plain, Buffer.from(context));
  return {
    id,
    level,
    organization_id: organizationId,
    purpose,
    subject,
    epoch,
    wrapped,
    wrapped_by: by?.id ?? state.master.id,
    uses: 0,
    created_at: state.now(),
  };
}

async function needed(state: State, id: string): Promise<KeyObject> {
  const key = await unwrapped(state, id);
  if (key === undefined) throw new Error("an encryption key was destroyed while it was used");
  return key;
}

/** What a wrapped key is bound to. */
export const wrapContext = (
  row: Pick<EncryptionKeyRow, "id" | "organization_id" | "purpose">,
): string => JSON.stringify(["key", row.id, row.organization_id, row.purpose]);

async function unwrapped(state: State, id: string): Promise<KeyObject | undefined> {
  const held = state.held.get(id);
  if (held !== undefined && state.now() - held.readAt < FORGET_MS) return held.key;
  const { version } = state;
  const row = await findKeyById(state.core, id);
  if (row === undefined) return undefined;
  const context = wrapContext(row);
  const wrapped = Buffer.from(row.wrapped);
  const plain =
    row.level === "organization"
      ? state.master.open(wrapped, context)
      : await openWrapped(state, row, wrapped);
  if (plain === undefined) return undefined;
  const key = createSecretKey(plain);
  // Read before an erasure that is known by now: used this once, not kept.
  if (state.version === version) keep(state.held, id, { key, readAt: state.now() });
  return key;
}

async function openWrapped(
  state: State,
  row: EncryptionKeyRow,
  wrapped: Buffer,
): Promise<Buffer | undefined> {
  const by = await unwrapped(state, row.wrapped_by);
  return by === undefined ? undefined : decrypt(by, wrapped, Buffer.from(wrapContext(row)));
}

function keep<Value>(map: Map<string, Value>, name: string, value: Value): void {
  const oldest = map.size >= MAX_CACHED ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(name, value);
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Nonce, tag, text. */
function encrypt(key: KeyObject, plain: Buffer, context: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(context);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** Throws where the text was changed, or belongs to another context. */
function decrypt(key: KeyObject, sealed: Buffer, context: Buffer): Buffer {
  const textAt = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(context)
    .setAuthTag(sealed.subarray(NONCE_BYTES, textAt));
  return Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]);
}
