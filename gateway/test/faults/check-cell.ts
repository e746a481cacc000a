import { expect } from "vitest";

import type { EndpointReport } from "#health/endpoint-report.ts";
import type { Cell } from "#test/faults/cells.ts";
import { faultySaid, HEALTHY_TEXT, routesOf } from "#test/faults/cells.ts";
import { expectationOf, type Expectation } from "#test/faults/expectation.ts";
import {
  CLIENT_KEY_CANARY,
  nameOf,
  PROMPT_CANARY,
  type Lab,
  type Run,
  type UpstreamCall,
} from "#test/faults/lab.ts";
import { FAULTY_TEXT } from "#test/faults/fault-table.ts";
import { reactionTo, type Reaction } from "#test/faults/reactions.ts";
import type { Protocol } from "#test/faults/wire.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";

/** From here on a waiting stream has its 200. */
const HEARTBEAT_MS = 10_000;

/** The five things that every cell of the matrix asserts. */
export function checkCell(cell: Cell, run: Run, lab: Lab): void {
  const expected = expectationOf(cell);
  checkSink(run);
  checkClient(cell, run, expected);
  checkCalls(cell, run, expected);
  checkPace(cell, run);
  checkHealth(cell, { reports: lab.health.snapshot(), calls: lab.calls }, expected);
  checkRecord(cell, run, expected);
  checkSilence(run, lab);
}

/** Which route a credential means, whatever the cell's providers are called. */
export const routeOfCredential = (credential: string): string =>
  /config:(?:c\d+-)?(\w+\/\w+)$/.exec(credential)?.[1] ?? credential;

/** An answer begins once and ends once. */
function checkSink({ sink: { counts } }: Run): void {
  expect(counts.json + counts.startStream, "the answer starts once").toBe(1);
  expect(counts.end, "a stream ends once").toBe(counts.startStream);
  expect(counts.destroy + counts.writesAfterEnd).toBe(0);
}

type Seen = Pick<Run, "view" | "tookMs">;

/** One answer with one end; a failure in the client's dialect; nothing of a failed attempt. */
export function checkClient(cell: Cell, run: Seen, expected: Expectation): void {
  const { view } = run;
  expect(view.unreadable, "events that are no JSON").toBe(0);
  expect(view.body).not.toMatch(/canary/);
  if (expected.answeredBy === "nobody" || expected.cutAfterContent) {
    return checkFailure(cell, run, expected);
  }
  expect(view.status).toBe(200);
  expect(view.streamed).toBe(cell.mode === "stream");
  expect({ errors: view.errors, successes: view.successes, ends: view.endsProperly }).toEqual({
    errors: [],
    successes: 1,
    ends: true,
  });
  const said = expected.answeredBy === "healthy" ? { text: HEALTHY_TEXT } : faultySaid(cell);
  expect(view.text === said.text, "the text is complete").toBe(true);
  if ("call" in said) checkArguments(cell, view.arguments, said.call);
  if (expected.answeredBy === "healthy") expect(view.body).not.toMatch(/faulty/);
}

/** A broken call stays as the model wrote it, or as near as a dialect can say it. */
function checkArguments({ client, upstream }: Cell, seen: string, said: string | undefined): void {
  if (client === upstream) expect(seen).toBe(said);
}

function checkFailure(cell: Cell, run: Seen, expected: Expectation): void {
  const { view } = run;
  const reaction = reactionTo(expected.failure);
  const began = cell.mode === "stream" && run.tookMs >= HEARTBEAT_MS;
  const inBand = expected.cutAfterContent || began;
  expect(view.successes, "a failure has no end of a success").toBe(0);
  expect(view.errors).toHaveLength(1);
  expect(view.endsProperly).toBe(true);
  expect(view.streamed).toBe(inBand);
  expect(view.status).toBe(inBand ? 200 : reaction.status);
  const [error] = view.errors;
  if (inBand && cell.client === "openai-responses") expect(error?.code).toBe(reaction.responses);
  else expect(error?.type).toBe(typeIn(cell.client, reaction));
  expect(error?.message).not.toBe("");
  if (expected.cutAfterContent) expect(view.text).toBe(FAULTY_TEXT);
  else expect(view.body).not.toContain(FAULTY_TEXT);
  if (inBand) return;
  expect(view.headers["x-should-retry"]).toBe(
    reaction.shouldRetry === undefined ? undefined : String(reaction.shouldRetry),
  );
  checkRetryAfter(cell, run);
}

function typeIn(client: Protocol, reaction: Reaction): string {
  const { openai, openaiResponses = openai, anthropic } = reaction;
  if (client === "anthropic-messages") return anthropic;
  return client === "openai-responses" ? openaiResponses : openai;
}

function checkRetryAfter({ of }: Cell, { view }: Seen): void {
  const { retryAfterMs } = of;
  const seconds = retryAfterMs === undefined ? undefined : String(Math.ceil(retryAfterMs / 1000));
  expect(view.headers["retry-after"]).toBe(seconds);
  expect(view.headers["retry-after-ms"]).toBe(retryAfterMs?.toString());
}

type Called = { readonly calls: readonly Pick<UpstreamCall, "route">[] };

/** Which upstreams were called, in which order, and how often. */
export function checkCalls(cell: Cell, { calls }: Called, expected: Expectation): void {
  const names = calls.map(({ route }) => route);
  if (cell.topology !== "two-keys") expect(names[0]).toBe(nameOf(routesOf(cell)[0]!));
  const counts = [...Map.groupBy(names, (name) => name).values()].map((found) => found.length);
  expect(counts).toEqual(expected.callsByRoute);
  if (expected.callsByRoute.length > 1) expect(names[1]).not.toBe(names[0]);
}

/** Another endpoint is tried at once. */
function checkPace({ of }: Cell, { calls }: Run): void {
  const [first, second] = calls;
  if (first === undefined || second === undefined || first.route === second.route) return;
  expect(second.atMs - first.atMs).toBeLessThan((of.takesMs ?? 0) * 1.1 + 100);
}

interface KnownHealth extends Called {
  readonly reports: readonly EndpointReport[];
  /** Real time since the request was sent: that much of a rest may have passed. Absent: none, the clock is the test's. */
  readonly agoMs?: number;
}

/** What is kept away from, and what is not. */
export function checkHealth(
  cell: Cell,
  { reports, calls, agoMs = 0 }: KnownHealth,
  expected: Expectation,
): void {
  const routes = routesOf(cell).map(nameOf);
  expect(reports.map(({ credential }) => routeOfCredential(credential)).toSorted()).toEqual(
    [...new Set(calls.map(({ route }) => route))].toSorted(),
  );
  for (const report of reports) {
    const route = routeOfCredential(report.credential);
    expect(routes).toContain(route);
    expect(report.health.inFlight).toBe(0);
    expect(report.limits.inFlight).toBe(0);
    if (route === calls[0]?.route || cell.topology === "all-failing")
      checkFaultyRoute(cell, report, { expected, agoMs });
    else checkUnharmed(report);
  }
}

function checkUnharmed({ health, lifetime, breaker, credentialState }: EndpointReport): void {
  expect(health.state).toBe("healthy");
  expect(lifetime.failures).toEqual({});
  expect(breaker).toMatchObject({ status: "pass", consecutiveFailures: 0 });
  expect(credentialState.status).toBe("alive");
}

function checkFaultyRoute(
  cell: Cell,
  report: EndpointReport,
  { expected, agoMs }: { readonly expected: Expectation; readonly agoMs: number },
): void {
  const { lifetime, breaker, credentialState, health } = report;
  const { fails, toolCalls } = cell.of;
  if (fails === undefined) {
    checkUnharmed(report);
    expect(lifetime.succeeded).toBe(1);
    if (toolCalls !== undefined) expect(lifetime.toolCalls).toMatchObject({ [toolCalls]: 1 });
    return;
  }
  const { cools } = reactionTo(fails);
  const times = expected.failuresOfFaulty;
  const counted = cools === "nothing" ? "caller" : fails.replace("upstream_", "");
  expect(lifetime.failures).toEqual({ [counted]: times });
  expect(breaker.status).toBe("pass");
  const healed = cell.topology === "heals" && expected.answeredBy === "healthy";
  expect(breaker.consecutiveFailures).toBe(cools === "endpoint" && !healed ? times : 0);
  const credential = fails === "upstream_quota" ? "quota" : "dead";
  expect(credentialState.status).toBe(cools === "credential" ? credential : "alive");
  const open = !healed && cools.startsWith("credential");
  expect(health.openReason).toBe(open ? OPEN_REASONS[fails] : undefined);
  if (open) checkCoolingTime(cell, report, agoMs);
  else expect(health.state).not.toBe("open");
}

const OPEN_REASONS: Readonly<Record<string, string>> = {
  upstream_auth: "credential_dead",
  upstream_quota: "quota",
  upstream_rate_limited: "rate_limited",
  upstream_model_missing: "model_missing",
};

const MINUTE_MS = 60_000;
/** 401: 5 min; no money: an hour, unless the provider names a time; a missing model: 10 min. */
const COOLING_MS: Readonly<Record<string, number>> = {
  upstream_auth: 5 * MINUTE_MS,
  upstream_quota: 60 * MINUTE_MS,
  upstream_model_missing: 10 * MINUTE_MS,
};

/** At most a second of it has passed, or what the clock says; a told time may be made longer by half, never shorter. */
function checkCoolingTime({ of }: Cell, { health }: EndpointReport, agoMs: number): void {
  const passed = Math.max(1_000, agoMs);
  const { retryInMs = 0 } = health;
  const fixed = COOLING_MS[of.fails ?? ""];
  if (fixed !== undefined) expect(retryInMs).toBeGreaterThan(fixed - passed);
  if (fixed !== undefined) return expect(retryInMs).toBeLessThanOrEqual(fixed);
  const asked = of.retryAfterMs ?? 1_000;
  expect(retryInMs).toBeGreaterThan(asked - passed);
  // Three 429s without a hint double the rest twice.
  return expect(retryInMs).toBeLessThanOrEqual(asked * (of.retryAfterMs === undefined ? 6 : 1.5));
}

/** Nano-USD of 100 tokens in and 20 out at each provider's price. */
const COSTS: Readonly<Record<string, bigint>> = { alpha: 140_000n, beta: 380_000n };
const CAP_NANO_USD = 100_000_000n;

interface Recorded extends Called {
  readonly records: readonly Readable[];
}

/** What of a record a cell looks at. */
export type Readable = Pick<
  RequestRecord,
  "failure" | "status" | "attempts" | "totalMs" | "lossNanoUsd" | "usage" | "costNanoUsd"
>;

/** One record: every attempt with class and time, the cost of the answer that was given, our losses. */
export function checkRecord(cell: Cell, run: Recorded, expected: Expectation): void {
  const { records, calls } = run;
  expect(records).toHaveLength(1);
  const [record] = records;
  if (record === undefined) return;
  const failed = expected.answeredBy === "nobody" || expected.cutAfterContent;
  expect(record.failure).toBe(failed ? expected.failure : null);
  const nobody = expected.answeredBy === "nobody";
  expect(record.status).toBe(nobody ? reactionTo(expected.failure).status : 200);
  const { attempts } = record;
  expect(attempts.map(({ credential }) => routeOfCredential(credential))).toEqual(
    calls.map(({ route }) => route),
  );
  expect(attempts.map(({ failure }) => failure)).toEqual(expected.attempts);
  for (const [at, attempt] of attempts.entries()) {
    expect(attempt.startedMs).toBeGreaterThanOrEqual(attempts[at - 1]?.startedMs ?? 0);
    expect(attempt.durationMs).toBeGreaterThan(0);
    expect(attempt.startedMs + attempt.durationMs).toBeLessThanOrEqual(record.totalMs + 0.001);
    const isLoss = attempt.failure !== null && cell.of.mayBeBilled === true;
    if (isLoss) expect(attempt.lossNanoUsd).toBeGreaterThan(0);
    else expect(attempt.lossNanoUsd).toBe(0);
  }
  const losses = attempts.reduce((sum, { lossNanoUsd }) => sum + BigInt(lossNanoUsd ?? 0), 0n);
  expect(record.lossNanoUsd).toBe(losses);
  checkCost(cell, run, expected);
}

function checkCost(cell: Cell, { records, calls }: Recorded, expected: Expectation): void {
  const [record] = records;
  const { usage = null, costNanoUsd = null } = record ?? {};
  if (expected.answeredBy === "nobody") {
    expect({ usage, costNanoUsd }).toEqual({ usage: null, costNanoUsd: 0n });
    return;
  }
  const answering = calls.at(-1)?.route.split("/")[0] ?? "";
  const kind = expected.answeredBy === "faulty" ? (cell.of.usage ?? "counted") : "counted";
  const estimated = expected.cutAfterContent || kind === "estimated";
  expect(usage?.estimated ?? false).toBe(estimated);
  if (!estimated) {
    expect(costNanoUsd).toBe(kind === "zero" ? 0n : COSTS[answering]);
    return;
  }
  expect(usage?.inputTokens).toBeGreaterThan(0);
  expect(usage?.outputTokens).toBeGreaterThan(0);
  expect(costNanoUsd).toBeGreaterThan(0n);
  expect(costNanoUsd).toBeLessThan(CAP_NANO_USD);
}

/** Neither log nor record holds a prompt or a key; nothing is left open. */
function checkSilence({ records }: Run, lab: Lab): void {
  const text = JSON.stringify([lab.logs, records], (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  expect(text).not.toContain(PROMPT_CANARY);
  expect(text).not.toContain(CLIENT_KEY_CANARY);
  expect(text).not.toMatch(/canary/);
  expect(text).not.toContain(FAULTY_TEXT);
  expect(lab.logs.filter((line) => JSON.stringify(line).includes('"level":"error"'))).toEqual([]);
  expect(lab.open.count, "open connections").toBe(0);
}
