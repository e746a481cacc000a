import { readFileSync } from "node:fs";

import type { Redis } from "ioredis";

import type { Claim, Lease, LimitEnd, Verdict } from "#limits/claim.ts";

/** A gateway that dies holds its places for so long; one that lives renews them. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** Limits that several gateways share: one script of Valkey takes all claims of a request at once. */
export interface ValkeyLimits {
  /** Rejects when the server is away. */
  take(id: string, claims: readonly Claim[]): Promise<Verdict & { readonly second: number }>;
  release(lease: Lease, end: LimitEnd): Promise<void>;
  close(): void;
}

const script = (name: string): string =>
  readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");

interface Scripts {
  takeLimits(keyCount: number, ...rest: readonly (string | number)[]): Promise<readonly number[]>;
  renewLimits(keyCount: number, ...rest: readonly (string | number)[]): Promise<number>;
  releaseLimits(keyCount: number, ...rest: readonly (string | number)[]): Promise<number>;
}

/** Works with a connected client of its own, whose errors somebody listens to. */
export function valkeyLimits(client: Redis): ValkeyLimits {
  client.defineCommand("takeLimits", { lua: script("take") });
  client.defineCommand("renewLimits", { lua: script("renew") });
  client.defineCommand("releaseLimits", { lua: script("release") });
  const scripts = client as Redis & Scripts;
  const held = new Map<string, readonly string[]>();
  const renew = (): void => {
    // One that is not renewed now is in ten seconds; after thirty its place is free.
    for (const [id, keys] of held) {
      scripts.renewLimits(keys.length, ...keys, id, LEASE_MS).catch(() => undefined);
    }
  };
  const timer = setInterval(renew, RENEW_MS);
  timer.unref();
  return {
    take: async (id, claims) => {
      const keys = claims.map(({ key }) => key);
      const figures = claims.flatMap(({ kind, limit, amount }) => [kind, limit, amount]);
      const [refused = 0, second = 0, ...told] = await scripts.takeLimits(
        keys.length,
        ...keys,
        id,
        LEASE_MS,
        ...figures,
      );
      if (refused === 0) hold(held, { id, claims });
      const standings = claims.map((_, at) => {
        const waitMs = told[2 * at + 1] ?? -1;
        return { used: told[2 * at] ?? 0, ...(waitMs >= 0 && { waitMs }) };
      });
      return { standings, second, ...(refused > 0 && { refused: refused - 1 }) };
    },
    release: async ({ id, claims, second }, end) => {
      held.delete(id);
      const tokens = end === "refused" ? 0 : end;
      const returned = claims.filter(({ kind }) => kind !== "requests" || end === "refused");
      if (returned.length === 0) return;
      const keys = returned.map(({ key }) => key);
      // Refused ones are corrected to none, as tokens are.
      const figures = returned.flatMap(({ kind, amount }) => [
        kind === "requests" ? "tokens" : kind,
        amount,
      ]);
      await scripts.releaseLimits(keys.length, ...keys, id, second, tokens, ...figures);
    },
    close: () => {
      clearInterval(timer);
      client.disconnect();
    },
  };
}

function hold(
  held: Map<string, readonly string[]>,
  { id, claims }: { readonly id: string; readonly claims: readonly Claim[] },
): void {
  const keys = claims.filter(({ kind }) => kind === "concurrent").map(({ key }) => key);
  if (keys.length > 0) held.set(id, keys);
}
