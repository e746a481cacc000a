import type { KeySettings } from "@turnpike/contract/governance.ts";
import type { Kysely, Transaction } from "kysely";

import { GatewayError, type Failure } from "#canonical/failure.ts";
import { digestOf, generateApiKey, hintOf, isDamaged } from "#governance/api-key.ts";
import { newId } from "#lib/ids.ts";
import { changeDirectory } from "#store/directory-version.ts";
import {
  findKey,
  insertKey,
  insertKeyAt,
  listKeys,
  updateKey,
  updateKeyAt,
  type StoredKey,
} from "#store/keys.ts";
import type { CoreTables } from "#store/schema.ts";

const MIN_LENGTH = 32;

/** Where keys belong that nobody placed. */
const DEFAULT_PLACE = { organizationId: "org_default", projectId: "proj_default" };

export interface NewKey {
  readonly name: string;
  readonly now: number;
  /** The key itself, where somebody else made it. */
  readonly key?: string;
  readonly organizationId?: string;
  readonly projectId?: string;
  readonly ownerId?: string;
  readonly settings?: KeySettings;
  readonly expiresAt?: number;
}

export interface CreatedKey {
  readonly key: string;
  readonly stored: StoredKey;
}

/** Stores a new key; the plain key is returned once and kept nowhere. */
export async function createKey(
  core: Kysely<CoreTables>,
  pepper: Buffer,
  options: NewKey,
): Promise<CreatedKey> {
  const created = newKey(pepper, options);
  await insertKey(core, created.stored);
  return created;
}

/** The same before it is stored: for a change of the directory that writes more. */
export function newKey(pepper: Buffer, options: NewKey): CreatedKey {
  const { key = generateApiKey(), name, now, ownerId = null, settings = {} } = options;
  const { organizationId, projectId } = { ...DEFAULT_PLACE, ...options };
  const stored: StoredKey = {
    id: newId("key_", now),
    name,
    digest: digestOf(key, pepper),
    hint: hintOf(key),
    createdAt: now,
    revokedAt: null,
    organizationId,
    projectId,
    ownerId,
    settings: JSON.stringify(settings),
    expiresAt: options.expiresAt ?? null,
    disabledAt: null,
    replacedBy: null,
    lastUsedAt: null,
  };
  return { key, stored };
}

export interface Rotation {
  readonly id: string;
  readonly now: number;
  /** How long the secret works that it had; 0: no longer. */
  readonly overlapMs: number;
}

/**
 * Gives a key another secret, within a change of the directory. It stays the same key, with its
 * policies, budgets and records; the secret that it had becomes a row of its own that leads to it
 * until the overlap is over. Rejects with `not_found` where there is no such key in force.
 */
export async function rotateKeyAt(
  {
    transaction,
    version,
  }: { readonly transaction: Transaction<CoreTables>; readonly version: number },
  pepper: Buffer,
  { id, now, overlapMs }: Rotation,
): Promise<CreatedKey> {
  const key = generateApiKey();
  const changes = { digest: digestOf(key, pepper), hint: hintOf(key) };
  const current = await findKey(transaction, id);
  if (current === undefined || current.revokedAt !== null || current.replacedBy !== null) {
    throw new GatewayError(noSuchKey(id));
  }
  // First the new secret: no two rows may have the same one.
  await updateKeyAt(transaction, { id, changes }, version);
  const earlier: StoredKey = {
    ...current,
    id: newId("key_", now),
    name: `${current.name} (before ${new Date(now).toISOString()})`,
    replacedBy: id,
    expiresAt: Math.min(now + overlapMs, current.expiresAt ?? Infinity),
  };
  await insertKeyAt(transaction, earlier, version);
  return { key, stored: { ...current, ...changes } };
}

/** The same as a change of its own. */
export const rotateKey = (
  core: Kysely<CoreTables>,
  pepper: Buffer,
  rotation: Rotation,
): Promise<CreatedKey> =>
  changeDirectory(core, (transaction, version) =>
    rotateKeyAt({ transaction, version }, pepper, rotation),
  );

const noSuchKey = (id: string): Failure => ({
  code: "not_found",
  field: "id",
  message: `There is no key "${id.slice(0, 60)}" in force that could be rotated.`,
});

export interface BootstrapKey {
  /** The key itself when it was made just now: to be shown once. */
  readonly created?: string;
  readonly source: "created" | "environment" | "stored";
}

interface BootstrapOptions {
  readonly fromEnvironment: string | undefined;
  readonly now: number;
}

/** The variable, and the name of the key that it holds. */
const VARIABLE = "TURNPIKE_KEY";
/** The name of a key that the variable held earlier. */
const FORMER = "TURNPIKE_KEY (no longer set)";

/**
 * Sees to it that there is a key: the one of `TURNPIKE_KEY`, else any stored one, else a new one.
 * The variable is the only source of its key: what it held before stops working, and works again
 * once it holds that again.
 */
export async function bootstrapKey(
  core: Kysely<CoreTables>,
  pepper: Buffer,
  { fromEnvironment = "", now }: BootstrapOptions,
): Promise<BootstrapKey> {
  if (fromEnvironment !== "") checkEnvironmentKey(fromEnvironment);
  const digest = fromEnvironment === "" ? undefined : digestOf(fromEnvironment, pepper);
  const keys = await listKeys(core);
  const active = keys.filter((key) => key.revokedAt === null && key.replacedBy === null);
  const former = active.filter((key) => key.name === VARIABLE && key.digest !== digest);
  for (const { id } of former) await updateKey(core, id, { name: FORMER, revokedAt: now });
  if (digest !== undefined) {
    const known = keys.find((key) => key.digest === digest);
    await (known === undefined
      ? createKey(core, pepper, { name: VARIABLE, now, key: fromEnvironment })
      : reinstate(core, known));
    return { source: "environment" };
  }
  if (active.length > former.length) return { source: "stored" };
  const { key } = await createKey(core, pepper, { name: "first key", now });
  return { source: "created", created: key };
}

function checkEnvironmentKey(key: string): void {
  if (isDamaged(key)) {
    throw new Error(
      "TURNPIKE_KEY looks like a key that Turnpike made, and its checksum does not fit. Copy it again, or set one that does not begin with sk-tp-.",
    );
  }
  if (key.length >= MIN_LENGTH) return;
  throw new Error(
    `TURNPIKE_KEY must have at least ${MIN_LENGTH} characters, for example the output of: openssl rand -hex 32`,
  );
}

/** A key that was taken out of force by a person stays so. */
async function reinstate(core: Kysely<CoreTables>, key: StoredKey): Promise<void> {
  if (key.name === FORMER) await updateKey(core, key.id, { name: VARIABLE, revokedAt: null });
  else if (key.revokedAt !== null) {
    throw new Error("TURNPIKE_KEY holds a key that was revoked. Set another one.");
  }
}
