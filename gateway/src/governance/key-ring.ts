import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { digestOf } from "#governance/api-key.ts";
import { keysVersion, listKeys, type StoredKey } from "#store/keys.ts";
import type { CoreTables } from "#store/schema.ts";

/** Revocation takes effect within this. */
const RELOAD_MS = 500;
/** How long the last good list serves when the store cannot be read. */
const STALE_MS = 60_000;

/** The keys in memory: looked up by digest, read anew from the store twice a second. */
export interface KeyRing {
  /**
   * The key's record. Throws `unauthenticated` for a missing, unknown or revoked key and
   * `store_unavailable` when the list is too old to be trusted: a failed store is never a 401.
   */
  authenticate(credential: string | undefined): StoredKey;
  reload(): Promise<void>;
  close(): void;
}

export async function openKeyRing(
  core: Kysely<CoreTables>,
  pepper: Buffer,
  now: () => number,
): Promise<KeyRing> {
  let byDigest = new Map<string, StoredKey>();
  /**
   * Valid keys that have come since the last look: a digest costs more than the rest of the look-up.
   * Forgotten twice a second, so that no plain key stays in memory for its own sake.
   */
  const seen = new Map<string, StoredKey>();
  let loadedAt = 0;
  const reload = async (): Promise<void> => {
    const keys = await listKeys(core);
    byDigest = new Map(keys.map((key) => [key.digest, key]));
    seen.clear();
    loadedAt = now();
  };
  await reload();
  let version = await keysVersion(core);
  const look = async (): Promise<void> => {
    const found = await keysVersion(core);
    if (found !== version) await reload();
    version = found;
    loadedAt = now();
    seen.clear();
  };
  // A failed look leaves the last good list in force until it is stale.
  const timer = setInterval(() => void look().catch(() => undefined), RELOAD_MS);
  timer.unref();
  return {
    reload,
    close: () => clearInterval(timer),
    authenticate(credential) {
      if (credential === undefined || credential === "") throw new GatewayError(MISSING);
      const key = seen.get(credential) ?? byDigest.get(digestOf(credential, pepper));
      if (now() - loadedAt > STALE_MS) throw new GatewayError(STORE_DOWN);
      if (key === undefined) throw new GatewayError(UNKNOWN);
      if (key.revokedAt !== null) throw new GatewayError(REVOKED);
      seen.set(credential, key);
      return key;
    },
  };
}

const MISSING = {
  code: "unauthenticated",
  message:
    "No API key was sent. Send a Turnpike key as `Authorization: Bearer sk-tp-…`, `x-api-key` or `x-goog-api-key` (not in the URL, which ends up in logs); `turnpike keys create` makes one.",
} as const;

const UNKNOWN = {
  code: "unauthenticated",
  message:
    "The API key is not a key of this gateway. Provider keys do not work here; `turnpike keys create` makes a Turnpike key.",
} as const;

const REVOKED = {
  code: "unauthenticated",
  message: "The API key was revoked. Ask the operator for a new one (`turnpike keys create`).",
} as const;

const STORE_DOWN = {
  code: "store_unavailable",
  message: "The gateway cannot read its key store at the moment. Try again soon.",
  retryAfterMs: 1_000,
} as const;
