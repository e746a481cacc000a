import { setTimeout as pause } from "node:timers/promises";

import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Claim } from "#limits/claim.ts";
import { standingsOf, type Limiter, type Taking } from "#limits/limiter.ts";
import { LocalLimits } from "#limits/local-limits.ts";
import { SharedLimiter } from "#limits/shared-limiter.ts";
import { valkeyLimits } from "#limits/valkey-limits.ts";
import { hasValkey, startValkey, type ValkeyServer } from "#test/valkey-server.ts";

const claim = (kind: Claim["kind"], limit: number, amount = 1): Claim => ({
  key: `tp:{org_1}:key:key_1:${kind}`,
  kind,
  limit,
  amount,
  level: "key",
  targetId: "key_1",
  source: "pol_1",
});

describe.skipIf(!hasValkey)("limits shared by Valkey", () => {
  let server: ValkeyServer;
  let told: string[];
  const open: (() => void)[] = [];
  beforeEach(async () => {
    server = await startValkey();
    told = [];
  });
  afterEach(async () => {
    for (const close of open.splice(0)) close();
    server.thaw();
    await server.stop();
  });

  async function gateway(): Promise<Limiter> {
    const client = new Redis(server.url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    client.on("error", () => {});
    await client.connect();
    const shared = valkeyLimits(client);
    open.push(() => shared.close());
    return new SharedLimiter({
      local: new LocalLimits(Date.now),
      shared,
      now: Date.now,
      onShared: (isShared) => told.push(isShared ? "shared" : "alone"),
    });
  }

  let ids = 0;
  const take = async (limiter: Limiter, ...claims: readonly Claim[]): Promise<Taking> =>
    limiter.take(`req_${ids++}`, claims);
  const isIn = ({ refused }: Taking): boolean => refused === undefined;

  test("a refused request gives back all, its place among the requests, too", async () => {
    const [one, other] = [await gateway(), await gateway()];
    const claims = [claim("requests", 1), claim("tokens", 100, 60), claim("concurrent", 1)];
    const first = await take(one, ...claims);
    expect(isIn(await take(other, ...claims))).toBe(false);
    first.release?.("refused");
    await expect
      .poll(async () => standingsOf(other, "req_look", claims))
      .toEqual([{ used: 0 }, { used: 0 }, { used: 0 }]);
    expect(isIn(await take(other, ...claims))).toBe(true);
    // Looking takes nothing.
    const looked = await standingsOf(one, "req_look", claims);
    expect(looked.map(({ used }) => used)).toEqual([1, 60, 1]);
    expect((await standingsOf(one, "req_look", claims)).map(({ used }) => used)).toEqual([
      1, 60, 1,
    ]);
  });

  test("two gateways together admit exactly the limit", async () => {
    const [one, two] = [await gateway(), await gateway()];
    const requests = claim("requests", 50);
    const takings = await Promise.all(
      Array.from({ length: 200 }, (_, at) => take(at % 2 === 0 ? one : two, requests)),
    );
    expect(takings.filter(isIn)).toHaveLength(50);
    const refused = takings.find((taking) => !isIn(taking));
    expect(refused?.standings[0]?.used).toBe(50);
    expect(refused?.standings[0]?.waitMs).toBeGreaterThan(59_000);
    expect(refused?.standings[0]?.waitMs).toBeLessThanOrEqual(61_000);
  });

  test("all claims of a request are taken together or none", async () => {
    const limiter = await gateway();
    const claims = [claim("requests", 10), claim("tokens", 100, 60), claim("concurrent", 5)];
    expect(isIn(await take(limiter, ...claims))).toBe(true);
    expect(await take(limiter, ...claims)).toMatchObject({
      refused: 1,
      standings: [{ used: 1 }, { used: 60 }, { used: 1 }],
    });
    expect((await take(limiter, ...claims)).standings.map(({ used }) => used)).toEqual([1, 60, 1]);
  });

  test("places and unused tokens come back, once, for the other gateway too", async () => {
    const [one, two] = [await gateway(), await gateway()];
    const claims = [claim("concurrent", 1), claim("tokens", 100, 90)];
    const first = await take(one, ...claims);
    expect(isIn(await take(two, claim("concurrent", 1)))).toBe(false);
    first.release?.(20);
    first.release?.(0);
    await expect.poll(async () => isIn(await take(two, claim("concurrent", 1)))).toBe(true);
    expect((await take(one, claim("tokens", 100, 1))).standings).toEqual([{ used: 20 }]);
    expect(isIn(await take(two, claim("concurrent", 1)))).toBe(false);
  });

  test("a place whose gateway died is free when its lease is over", async () => {
    const one = await gateway();
    expect(isIn(await take(one, claim("concurrent", 1)))).toBe(true);
    const reader = new Redis(server.url);
    const { key } = claim("concurrent", 1);
    const [member = ""] = await reader.zrange(key, "0", "-1");
    const until = Number(await reader.zscore(key, member));
    expect(until - Date.now()).toBeGreaterThan(25_000);
    expect(until - Date.now()).toBeLessThanOrEqual(30_000);
    // As if the half minute had passed.
    await reader.zadd(key, String(Date.now() - 1), member);
    expect(isIn(await take(one, claim("concurrent", 1)))).toBe(true);
    await reader.quit();
  });

  test("counters are not kept longer than they count", async () => {
    const limiter = await gateway();
    await take(limiter, claim("requests", 5), claim("tokens", 5), claim("concurrent", 5));
    const reader = new Redis(server.url);
    for (const key of await reader.keys("*")) {
      const ttl = await reader.ttl(key);
      expect([key, ttl > 0 && ttl <= 62]).toEqual([key, true]);
    }
    await reader.quit();
  });

  test("a server that does not answer is waited for 50 ms once; the gateway's own limits hold meanwhile", async () => {
    const limiter = await gateway();
    const requests = claim("requests", 3);
    await take(limiter, requests);
    server.freeze();
    const from = performance.now();
    const takings = [await take(limiter, requests)];
    const firstMs = performance.now() - from;
    for (let at = 1; at < 5; at++) takings.push(await take(limiter, requests));
    expect(performance.now() - from - firstMs).toBeLessThan(firstMs);
    expect(takings.map(isIn)).toEqual([true, true, false, false, false]);
    expect(told).toEqual(["alone"]);
    server.thaw();
    await pause(1_100);
    await take(limiter, requests);
    expect(told).toEqual(["alone", "shared"]);
  });

  test("what a slow server took after all is given back with the request", async () => {
    const limiter = await gateway();
    server.freeze();
    const taking = await take(limiter, claim("concurrent", 1));
    expect(isIn(taking)).toBe(true);
    server.thaw();
    const reader = new Redis(server.url);
    const places = (): Promise<number> => reader.zcard(claim("concurrent", 1).key);
    await expect.poll(places).toBe(1);
    taking.release?.(0);
    await expect.poll(places).toBe(0);
    await reader.quit();
  });

  test("a server that is gone costs no error and no wait", async () => {
    const limiter = await gateway();
    await server.stop();
    const from = performance.now();
    const takings = await Promise.all(
      Array.from({ length: 20 }, () => take(limiter, claim("requests", 5))),
    );
    expect(takings.filter(isIn)).toHaveLength(5);
    expect(performance.now() - from).toBeLessThan(200);
  });
});
