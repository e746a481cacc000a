import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { digestOf, isDamaged } from "#governance/api-key.ts";
import type { Directory } from "#governance/directory.ts";

/** How long what was last read serves when the store cannot be read. */
const STALE_MS = 60_000;
/** Last uses are written so often. */
const USED_MS = 60_000;

/** Who sends a credential, out of memory. */
export interface KeyRing {
  /**
   * What the key gives access to, where it is used from that address. Throws `unauthenticated` for a
   * missing, unknown, expired or revoked key, `forbidden` for one that is out of force or may not be
   * used from there, and `store_unavailable` when the directory is too
   * old to be trusted: a failed store is never a 401.
   */
  authenticate(credential: string | undefined, address: string | undefined): Access;
  close(): Promise<void>;
}

export interface KeyRingOptions {
  readonly directory: Directory;
  readonly pepper: Buffer;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Writes when keys were used; asked once a minute, and never waited for by a request. */
  readonly noteUsed: (keyIds: readonly string[], usedAt: number) => Promise<void>;
}

export function openKeyRing({ directory, pepper, now, noteUsed }: KeyRingOptions): KeyRing {
  /**
   * Valid keys that have come since the last look at the store: a digest costs more than the rest of
   * the look-up. Forgotten twice a second, so that no plain key stays in memory for its own sake.
   */
  const seen = new Map<string, Access>();
  directory.onLook(() => seen.clear());
  let used = new Set<string>();
  const writeUsed = async (): Promise<void> => {
    const ids = [...used];
    used = new Set();
    // A use that is not noted is no loss that anybody should wait for: the next one is.
    if (ids.length > 0) await noteUsed(ids, now()).catch(() => undefined);
  };
  const timer = setInterval(() => void writeUsed(), USED_MS);
  timer.unref();
  const lookUp = (credential: string): Access => {
    if (isDamaged(credential)) throw new GatewayError(DAMAGED);
    const found = directory.find(digestOf(credential, pepper));
    if (found === undefined) throw new GatewayError(UNKNOWN);
    if ("refused" in found) throw new GatewayError(found.refused);
    return found.access;
  };
  return {
    authenticate(credential, address) {
      if (credential === undefined || credential === "") throw new GatewayError(MISSING);
      const known = seen.get(credential);
      const time = now();
      if (directory.age() > STALE_MS) throw new GatewayError(STORE_DOWN);
      const access = known ?? lookUp(credential);
      const { id, expiresAt, addresses } = access.key;
      if (expiresAt !== null && time >= expiresAt) throw new GatewayError(expired(expiresAt));
      if (addresses?.includes(address) === false) throw new GatewayError(elsewhere(address));
      if (known === undefined) {
        seen.set(credential, access);
        used.add(id);
      }
      return access;
    },
    close: async () => {
      clearInterval(timer);
      await writeUsed();
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

const DAMAGED = {
  code: "unauthenticated",
  message:
    "The API key is not complete, or has a wrong character: its checksum does not fit. Copy it again from where it is kept.",
} as const;

const expired = (expiresAt: number): Failure => ({
  code: "unauthenticated",
  message: `The API key expired on ${new Date(expiresAt).toISOString()}. Ask for a new one (\`turnpike keys create\`).`,
});

const elsewhere = (address = "unknown"): Failure => ({
  code: "forbidden",
  message: `The API key may not be used from ${address}: its settings allow other addresses only (ipRanges). Behind a proxy, the gateway must know it: server.trustedProxies.`,
});

const STORE_DOWN = {
  code: "store_unavailable",
  message: "The gateway cannot read its key store at the moment. Try again soon.",
  retryAfterMs: 1_000,
} as const;
