import type { Kysely } from "kysely";

import { buildAccess, earlierSecret, type Found } from "#governance/build-access.ts";
import { applyRows, emptyTables, type DirectoryTables } from "#governance/directory-tables.ts";
import { readDirectory, type DirectoryRows } from "#store/directory.ts";
import { directoryVersion } from "#store/directory-version.ts";
import type { StoredKey } from "#store/keys.ts";
import type { CoreTables } from "#store/schema.ts";

/** A change takes effect within this. */
const POLL_MS = 500;

/**
 * Organizations, teams, projects, keys, policies, budgets and price overrides in memory. All of it is
 * read once; after that twice a second the version is asked for, and what changed is read.
 */
export interface Directory {
  /** What is there now; not to be changed. */
  readonly tables: DirectoryTables;
  readonly version: () => number;
  /** For how long what is known may be out of date, in milliseconds: since the store was last read. */
  readonly age: () => number;
  /** The key with this digest, put together; `undefined`: there is none. */
  find(digest: string): Found | undefined;
  /** Reads what changed now, not at the next poll. Rejects when the store cannot be read. */
  refresh(): Promise<void>;
  /** Called after each look that found the store readable, changes or not. */
  onLook(listener: () => void): void;
  close(): void;
}

/** `tick`: monotonic milliseconds. A wall clock that is set must not make what is known look old. */
export async function openDirectory(
  core: Kysely<CoreTables>,
  tick: () => number = () => performance.now(),
): Promise<Directory> {
  const tables = emptyTables();
  const listeners: (() => void)[] = [];
  let found = new WeakMap<StoredKey, Found>();
  let version = 0;
  let knownTick = 0;
  const foundOf = (key: StoredKey | undefined): Found | undefined => {
    if (key === undefined) return undefined;
    const known = found.get(key) ?? buildAccess(key, tables);
    found.set(key, known);
    return known;
  };
  const look = async (): Promise<void> => {
    const from = tick();
    if ((await directoryVersion(core)) !== version) {
      const rows = await readDirectory(core, version);
      applyRows(tables, rows);
      version = rows.version;
      if (isAroundKeys(rows)) found = new WeakMap();
    }
    knownTick = from;
    for (const listener of listeners) listener();
  };
  const refresh = inTurn(look);
  await refresh();
  let isPolling = false;
  const poll = async (): Promise<void> => {
    // A store that is slow is not asked again meanwhile.
    if (isPolling) return;
    isPolling = true;
    // A failed look leaves what is known in force; `age` tells how old it is.
    await refresh().catch(() => undefined);
    isPolling = false;
  };
  const timer = setInterval(() => void poll(), POLL_MS);
  timer.unref();
  return {
    tables,
    version: () => version,
    age: () => tick() - knownTick,
    find: (digest) => {
      const key = tables.keysByDigest.get(digest);
      if (key?.replacedBy == null) return foundOf(key);
      return earlierSecret(key, foundOf(tables.keys.get(key.replacedBy)));
    },
    refresh,
    onLook: (listener) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}

/**
 * Whether anything changed that keys share. A changed key is another object: what was put together of
 * it is forgotten with the old one.
 */
const isAroundKeys = ({ version: _, keys: _keys, ...shared }: DirectoryRows): boolean =>
  Object.values(shared).some((rows) => rows.length > 0);

/** One look after the other: two that overlap could take in the older one last. */
function inTurn(look: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const next = last.catch(() => undefined).then(look);
    last = next;
    return next;
  };
}
