import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { EndpointReport } from "#health/endpoint-report.ts";
import { asNumber, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import type { AttemptRecord } from "#telemetry/request-record.ts";
import {
  CELLS,
  firstBehaviour,
  healthyUpstream,
  routesOf,
  TOPOLOGIES,
  upstreamOf,
  type Cell,
} from "#test/faults/cells.ts";
import {
  checkCalls,
  checkClient,
  checkHealth,
  checkRecord,
  routeOfCredential,
  type Readable,
} from "#test/faults/check-cell.ts";
import { viewOf } from "#test/faults/client-view.ts";
import { expectationOf } from "#test/faults/expectation.ts";
import { FAULT_NAMES, type FaultName } from "#test/faults/fault-table.ts";
import { bodyOf, secretOf } from "#test/faults/lab.ts";
import { startRawUpstream, type RawRequest, type RawUpstream } from "#test/faults/raw-upstream.ts";
import type { Behaviour } from "#test/faults/behaviour.ts";
import type { Protocol } from "#test/faults/wire.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

/** Faults that the fake clock alone can play, and why. */
const NOT_OVER_SOCKETS: Readonly<Partial<Record<FaultName, string>>> = {
  "dns-slow": "the resolver is the machine's own; too slow a one is a connection that times out",
};

/** Cases that would take minutes. */
const isTooLong = ({ fault, of }: Cell): boolean =>
  fault === "drip-1B/s" && (of.when === "to its end" || of.final === true);

const isDead = (cell: Cell, provider: string): boolean =>
  firstBehaviour(cell, provider)?.kind === "unreachable";

/** A dead address stays dead, and both keys of a provider would be behind it. */
const isOneOrigin = (cell: Cell): boolean =>
  (cell.topology === "two-keys" || cell.topology === "heals") && isDead(cell, "alpha");

/** Seconds of pauses are for the fake clock. */
const isLongWait = ({ of, topology }: Cell): boolean =>
  of.fails === "upstream_rate_limited" && !topology.startsWith("two");

/** What waits, waits a seventh of its time: a machine that stops for a second or two is no fault of a provider's. */
const SCALE = 0.15;
const TIMEOUTS = {
  headMs: 2_400,
  reasoningHeadMs: 2_400,
  firstContentMs: 3_000,
  reasoningFirstContentMs: 3_000,
  idleMs: 2_700,
  noProgressMs: 3_600,
  totalMs: 30_000,
};

/** One cell of each case and mode; dialects and topologies take turns. */
function sampled(): readonly Cell[] {
  const cases = Map.groupBy(
    CELLS.filter((cell) => NOT_OVER_SOCKETS[cell.fault] === undefined && !isTooLong(cell)),
    ({ fault, of, mode }) => `${fault} ${of.when} ${of.phase} ${mode}`,
  );
  return [...cases.values()].flatMap((cells, at) => {
    const lanes = [
      ...Map.groupBy(cells, ({ client, upstream }) => `${client} ${upstream}`).values(),
    ];
    const lane = lanes[at % lanes.length] ?? [];
    const wanted = TOPOLOGIES[at % TOPOLOGIES.length];
    const possible = lane.filter((cell) => !isOneOrigin(cell) && !isLongWait(cell));
    const cell = possible.find(({ topology }) => topology === wanted) ?? possible[0];
    return cell === undefined ? [] : [cell];
  });
}

const SAMPLE = sampled();
const idOf = (at: number, provider: string): string => `c${at}-${provider}`;

const PATHS: Readonly<Record<Protocol, string>> = {
  "openai-chat": "/v1/chat/completions",
  "openai-responses": "/v1/responses",
  "anthropic-messages": "/v1/messages",
};

let raw: RawUpstream;
let gateway: TestGateway;
let home: string;
const calls: string[] = [];
const upstreams = new Map<number, (route: string, nth: number) => Behaviour>();
const times = new Map<string, number>();

/** What a request meets: the cell is in the provider's name. */
function decide({ name, head }: RawRequest): Behaviour {
  const [, cell = "", provider = ""] = /^c(\d+)-(\w+)$/.exec(name) ?? [];
  const key = /0000([a-z]+)0000([a-z]+)0000/.exec(head)?.[2] ?? "";
  const id = `${name}/${key}`;
  calls.push(id);
  const nth = times.get(id) ?? 0;
  times.set(id, nth + 1);
  const upstream = upstreams.get(Number(cell));
  if (upstream === undefined) throw new Error(`no cell ${name}`);
  return upstream(`${provider}/${key}`, nth);
}

/** Faults below HTTP have an origin of their own, the others a path. */
function baseUrlOf(cell: Cell, at: number, provider: string): string {
  const fault = firstBehaviour(cell, provider);
  const path = `/${idOf(at, provider)}/v1`;
  if (fault?.kind !== "unreachable") return raw.origins.http + path;
  return (originOf(fault.code) ?? raw.origins.http) + path;
}

function originOf(code: string): string | undefined {
  const { refused, silentTls, expiredTls, resetTls } = raw.origins;
  const origins: Readonly<Record<string, string>> = {
    ENOTFOUND: "https://nowhere.invalid",
    ECONNREFUSED: refused,
    UND_ERR_CONNECT_TIMEOUT: silentTls,
    CERT_HAS_EXPIRED: expiredTls,
    ECONNRESET: resetTls,
  };
  return origins[code];
}

/** Every cell has providers and a model of its own: no cell learns from another. */
const settings = (): JsonObject => ({
  providers: SAMPLE.flatMap((cell, at) =>
    routesOf(cell).map(({ provider, key, protocol, prices, contextTokens }) => ({
      id: idOf(at, provider),
      name: key,
      apiKey: secretOf({ provider, key }),
      baseUrl: baseUrlOf(cell, at, provider),
      compatible: protocol,
      models: [
        { id: "m-1", model: `m${at}`, contextTokens, tools: true, reasoning: false, prices },
      ],
    })),
  ),
});

beforeAll(async () => {
  raw = await startRawUpstream({ decide, scale: SCALE });
  home = mkdtempSync(join(tmpdir(), "turnpike-faults-"));
  // JSON is YAML.
  writeFileSync(join(home, "turnpike.yaml"), JSON.stringify(settings()));
  gateway = await startGateway({ home, timeouts: TIMEOUTS, health: {} });
  for (const [at, cell] of SAMPLE.entries()) {
    // The dead one is never called: what is called first is the other one, and well.
    upstreams.set(at, isDead(cell, "alpha") ? healthyUpstream(cell) : upstreamOf(cell));
  }
});

afterAll(async () => {
  await gateway?.close();
  await raw.close();
  rmSync(home, { recursive: true, force: true });
});

/** Dice decide which inspected streams there are; health of tool calls is for the fake clock. */
const withoutDice = (cell: Cell): Cell => {
  const { toolCalls: _none, ...of } = cell.of;
  return { ...cell, of };
};

async function runOverSockets(cell: Cell, at: number): Promise<void> {
  const expected = expectationOf(cell);
  const began = performance.now();
  const ordered = ["alpha", "beta"].map((provider) => idOf(at, provider));
  const body = bodyOf({
    protocol: cell.client,
    mode: cell.mode,
    tools: cell.of.says?.call !== undefined,
    body: {
      model: `m${at}`,
      ...(routesOf(cell).some(({ provider }) => provider === "beta") && {
        provider: { order: ordered },
      }),
    },
  });
  const response = await gateway.post(PATHS[cell.client], body);
  const text = await response.text();
  const tookMs = performance.now() - began;
  const headers = Object.fromEntries(response.headers);
  const streamed = response.headers.get("content-type")?.includes("event-stream") === true;
  const view = viewOf(cell.client, { status: response.status, headers, body: text, streamed });
  checkClient(cell, { view, tookMs }, expected);
  const record = await recordOf(headers["x-request-id"] ?? "");
  // What never came to HTTP was called all the same: the record knows.
  const attempted = record.attempts.map(({ credential }) => ({
    route: routeOfCredential(credential),
  }));
  checkCalls(cell, { calls: attempted }, expected);
  const played = attempted.filter(({ route }) => {
    const [provider = ""] = route.split("/");
    return baseUrlOf(cell, at, provider).startsWith(raw.origins.http);
  });
  expect(
    calls.filter((id) => id.startsWith(idOf(at, ""))).map((id) => id.replace(/^c\d+-/, "")),
  ).toEqual(played.map(({ route }) => route));
  checkRecord(cell, { records: [record], calls: attempted }, expected);
  const reports = await reportsOf(at);
  const agoMs = performance.now() - began;
  checkHealth(withoutDice(cell), { reports, calls: attempted, agoMs }, expected);
}

/** The record as it is stored, read by its id. */
async function recordOf(id: string): Promise<Readable> {
  const found = await gateway.get(`/v1/generations/${id}`);
  const data = asObject(asObject(await found.json())["data"]);
  const usage = asObject(data["usage"]);
  return {
    failure: (asString(data["failure"]) ?? null) as Readable["failure"],
    status: asNumber(data["status"]) ?? 0,
    totalMs: (asNumber(data["total_ms"]) ?? 0) + ROUNDING_MS,
    lossNanoUsd: BigInt(asNumber(data["loss_nano_usd"]) ?? -1),
    costNanoUsd: BigInt(asNumber(data["cost_nano_usd"]) ?? -1),
    usage:
      data["usage"] === null
        ? null
        : {
            inputTokens: asNumber(usage["input_tokens"]) ?? -1,
            outputTokens: asNumber(usage["output_tokens"]) ?? -1,
            ...(data["usage_estimated"] === true && { estimated: true }),
          },
    attempts: asObjects(data["attempts"]).map((attempt) => ({
      provider: asString(attempt["provider"]) ?? "",
      model: asString(attempt["model"]) ?? "",
      credential: asString(attempt["credential"]) ?? "",
      reason: asString(attempt["reason"]) ?? "",
      lane: "native",
      status: asNumber(attempt["status"]) ?? null,
      failure: (asString(attempt["failure"]) ?? null) as AttemptRecord["failure"],
      startedMs: asNumber(attempt["started_ms"]) ?? -1,
      durationMs: asNumber(attempt["duration_ms"]) ?? -1,
      lossNanoUsd: asNumber(attempt["loss_nano_usd"]) ?? null,
    })),
  };
}

/** Times are told to the hundredth of a millisecond. */
const ROUNDING_MS = 0.02;

async function reportsOf(at: number): Promise<readonly EndpointReport[]> {
  const response = await gateway.get("/api/health/endpoints");
  const { data } = (await response.json()) as { data: readonly EndpointReport[] };
  return data.filter(({ provider }) => provider.startsWith(idOf(at, "")));
}

describe("the fault matrix over sockets", () => {
  test("has sixty cells and every fault that sockets can play", () => {
    expect(SAMPLE.length).toBeGreaterThanOrEqual(60);
    const played = new Set(SAMPLE.map(({ fault }) => fault));
    expect(FAULT_NAMES.filter((name) => !played.has(name))).toEqual(Object.keys(NOT_OVER_SOCKETS));
  });

  // The retry budget allows three repeats at once: those that repeat do not run side by side.
  for (const [at, cell] of SAMPLE.entries()) {
    const repeats = expectationOf(cell).callsByRoute.some((count) => count > 1);
    (repeats ? test : test.concurrent)(cell.name, () => runOverSockets(cell, at));
  }

  test("leaves no connection to a provider but those that are kept for the next request", () => {
    expect(raw.openConnections()).toBeLessThan(SAMPLE.length);
  });
});
