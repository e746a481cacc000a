import type { Kysely } from "kysely";

import { digestOf, generateApiKey, hintOf } from "#governance/api-key.ts";
import { newId } from "#lib/ids.ts";
import { insertKey, listKeys, type StoredKey } from "#store/keys.ts";
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

/**
 * Sees to it that there is a key: the one of `TURNPIKE_KEY`, else any stored one, else a new one.
 */
export async function bootstrapKey(
  core: Kysely<CoreTables>,
  pepper: Buffer,
  options: { readonly fromEnvironment: string | undefined; readonly now: number },
): Promise<BootstrapKey> {
  const { fromEnvironment, now } = options;
  const keys = await listKeys(core);
  if (fromEnvironment !== undefined && fromEnvironment !== "") {
    if (fromEnvironment.length < MIN_LENGTH) {
      throw new Error(
        `TURNPIKE_KEY must have at least ${MIN_LENGTH} characters, for example the output of: openssl rand -hex 32`,
      );
    }
    const digest = digestOf(fromEnvironment, pepper);
    const known = keys.find((key) => key.digest === digest);
    if (known === undefined) {
      await createKey(core, pepper, { name: "TURNPIKE_KEY", now, key: fromEnvironment });
    }
    return { source: "environment" };
  }
  if (keys.some((key) => key.revokedAt === null)) return { source: "stored" };
  const { key } = await createKey(core, pepper, { name: "first key", now });
  return { source: "created", created: key };
}
