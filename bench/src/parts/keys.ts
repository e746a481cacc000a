import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { newKey } from "../../../gateway/src/governance/create-key.ts";
import { openDirectory } from "../../../gateway/src/governance/directory.ts";
import { openKeyRing, type KeyRing } from "../../../gateway/src/governance/key-ring.ts";
import { entryClaims, requestClaims } from "../../../gateway/src/limits/claims-of.ts";
import { LocalLimits } from "../../../gateway/src/limits/local-limits.ts";
import { changeDirectory } from "../../../gateway/src/store/directory-version.ts";
import { insertKeyAt } from "../../../gateway/src/store/keys.ts";
import { openStore, type Store } from "../../../gateway/src/store/store.ts";
import type { PartResult } from "../harness/report.ts";
import type { Progress } from "../harness/settings.ts";

const KEYS = 100_000;
const BATCH = 5_000;
/** So many of them are used. */
const USED = 10_000;
const PEPPER = Buffer.alloc(32, 7);
const ADDRESS = "127.0.0.1";

/** What a hundred thousand keys cost: to read, to keep, and to look up. */
export async function runKeys(_settings: unknown, progress: Progress): Promise<PartResult> {
  const home = mkdtempSync(join(tmpdir(), "turnpike-bench-keys-"));
  const store = await openStore({ home });
  try {
    progress(`keys: ${KEYS} are made`);
    const keys = await fill(store);
    return await measure(store, keys);
  } finally {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function fill({ core }: Store): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let from = 0; from < KEYS; from += BATCH) {
    await changeDirectory(core, async (transaction, version) => {
      const made = Array.from({ length: BATCH }, (_, at) =>
        newKey(PEPPER, { name: `key ${from + at}`, now: Date.now() }),
      );
      if (from < USED) keys.push(...made.map(({ key }) => key));
      await Promise.all(made.map(({ stored }) => insertKeyAt(transaction, stored, version)));
    });
  }
  return keys;
}

async function measure({ core }: Store, keys: readonly string[]): Promise<PartResult> {
  const heapBefore = heapMiB();
  const from = performance.now();
  const directory = await openDirectory(core, Date.now);
  const loadMs = performance.now() - from;
  const keptMiB = heapMiB() - heapBefore;
  const ring = openKeyRing({ directory, pepper: PEPPER, now: Date.now, noteUsed: async () => {} });
  const first = perKey(keys, ring);
  const cached = perKey(keys, ring);
  await directory.refresh();
  const digest = perKey(keys, ring);
  const limits = limitsMicros(ring, keys[0] ?? "");
  directory.close();
  await ring.close();
  return {
    rows: [
      { look: "first of a key (access put together)", µs: first },
      { look: "known key, once in 500 ms (HMAC)", µs: digest },
      { look: "known key", µs: cached },
      { look: "six limits of a request, taken and given back", µs: limits },
    ],
    figures: [
      {
        name: "Key look-up with 100,000 keys, cached",
        measured: cached,
        unit: "µs",
        target: { limit: 5, kind: "at most" },
      },
      { name: "100,000 keys: read at the start", measured: loadMs, unit: "ms" },
      { name: "100,000 keys: memory", measured: keptMiB, unit: "MiB" },
    ],
    skipped: [],
  };
}

function heapMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Processor time in µs of a look-up: other programs of the machine do not count. */
function perKey(keys: readonly string[], ring: KeyRing): number {
  const before = process.cpuUsage();
  for (const key of keys) ring.authenticate(key, ADDRESS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / keys.length;
}

function limitsMicros(ring: KeyRing, key: string): number {
  const rates = { requestsPerMinute: 1e9, tokensPerMinute: 1e12, concurrent: 1_000 };
  const access = {
    ...ring.authenticate(key, ADDRESS),
    limits: (["organization", "key"] as const).map((level) => ({
      level,
      targetId: level,
      source: "pol_1",
      limits: rates,
    })),
  };
  const limited = { endUser: undefined, inputTokens: 100, boundTokens: 1_000 };
  const local = new LocalLimits(Date.now);
  const times = 20_000;
  const before = process.cpuUsage();
  for (let at = 0; at < times; at++) {
    const claims = [...entryClaims(access), ...requestClaims(access, limited)];
    local.take(claims);
    local.release({ claims, second: Math.floor(Date.now() / 1_000) }, 500);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}
