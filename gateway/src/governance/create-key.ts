import type { Kysely } from "kysely";

import { digestOf, generateApiKey, hintOf } from "#governance/api-key.ts";
import { newId } from "#lib/ids.ts";
import { insertKey, listKeys, updateKey, type StoredKey } from "#store/keys.ts";
import type { CoreTables } from "#store/schema.ts";

const MIN_LENGTH = 32;

/** Stores a new key; the plain key is returned once and kept nowhere. */
export async function createKey(
  core: Kysely<CoreTables>,
  pepper: Buffer,
  options: { readonly name: string; readonly now: number; readonly key?: string },
): Promise<{ readonly key: string; readonly stored: StoredKey }> {
  const key = options.key ?? generateApiKey();
  const stored: StoredKey = {
    id: newId("key_", options.now),
    name: options.name,
    digest: digestOf(key, pepper),
    hint: hintOf(key),
    createdAt: options.now,
    revokedAt: null,
  };
  await insertKey(core, stored);
  return { key, stored };
}

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
  const active = keys.filter((key) => key.revokedAt === null);
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
