import { FAILURES, type Failure } from "#canonical/failure.ts";
import type { Obeys } from "#health/health-tracker.ts";
import type { Answer, Call, ParsedCall } from "#pipeline/call.ts";
import { startAttempt, type AttemptEnd } from "#pipeline/one-attempt.ts";
import { hedged } from "#pipeline/hedge.ts";
import { backOffMs, pause } from "#pipeline/back-off.ts";
import { remainingMs } from "#pipeline/deadline.ts";
import { AttemptAborted } from "#pipeline/network-failure.ts";
import { leaveOtherModels, takeModelLimits } from "#pipeline/take-limits.ts";
import type { Plan, Route } from "#routing/route.ts";

/** No attempt is begun with less time than a provider needs to say anything. */
const LEAST_TIME_MS = 2_000;
/** A request that so many endpoints fail at is most likely at fault itself. */
const CALLS_A_REQUEST = 8;
/** Calls of one route, the first one included. */
const CALLS_A_ROUTE = 3;
/** Longer waits are the client's to decide: it is told when to come back. */
const LONGEST_WAIT_MS = 10_000;
const WAITS_IN_ALL_MS = 60_000;

/** What may go away by itself within seconds. */
const PASSING: ReadonlySet<string> = new Set([
  "upstream_overloaded",
  "upstream_error",
  "upstream_unreachable",
  "upstream_rate_limited",
  "upstream_truncated",
]);

/** The provider had the request, and may have begun to do what it asks for. */
const MAYBE_DONE: ReadonlySet<string> = new Set(["upstream_timeout", "upstream_truncated"]);

/**
 * Tries the routes of a plan until one answers; resolves with the failure that says most when none
 * does. Another endpoint is tried at once; the same one again only after a pause, within the retry
 * budget and the client's deadline. Until an answer is returned its client has seen nothing of it.
 */
export function runAttempts(call: Call, parsed: ParsedCall, plan: Plan): Promise<Answer | Failure> {
  return new AttemptRun(call, parsed, plan).answer();
}

class AttemptRun {
  readonly #request: { readonly call: Call; readonly parsed: ParsedCall };
  readonly #call: Call;
  readonly #plan: Plan;
  #queue: Route[];
  /** Calls of each route so far. */
  readonly #calls = new Map<string, number>();
  /** Routes that failed in a way that may pass, or were busy: what a pause may help. */
  #later: Route[] = [];
  #obeys: Obeys = "gates-and-limits";
  #pauses = 0;
  #waitedMs = 0;
  #told: Failure | undefined;
  #endpointFailed = false;
  /** Gives the place in the retry budget back. */
  #repeat: (() => void) | undefined;

  constructor(call: Call, parsed: ParsedCall, plan: Plan) {
    this.#request = { call, parsed };
    this.#call = call;
    this.#plan = plan;
    this.#queue = [...plan.routes];
  }

  async answer(): Promise<Answer | Failure> {
    try {
      for (;;) {
        const end = await this.#next();
        if (end !== undefined) return end;
        if (this.#dare() || this.#leaveRegion()) continue;
        if (this.#queue.length === 0 && !(await this.#waitForAnother())) return this.#toTell();
      }
    } finally {
      this.#endRepeat();
    }
  }

  /**
   * Where every endpoint refused: learnt limits are guesses, and a request that no one takes may test
   * them; the operator may want even those tried that are kept away from. `false`: nothing to dare.
   */
  #dare(): boolean {
    const { tryAnyway } = this.#plan;
    const next = this.#obeys === "gates-and-limits" ? "gates" : "nothing";
    if (this.#calls.size > 0 || this.#obeys === next || this.#later.length === 0) return false;
    if (next === "nothing" && !tryAnyway) return false;
    this.#obeys = next;
    this.#queue = this.#later;
    this.#later = [];
    return true;
  }

  /** Where endpoints themselves fail: the operator's routes for that. `false`: there are none left. */
  #leaveRegion(): boolean {
    if (!this.#endpointFailed || this.#queue.length > 0) return false;
    const known = new Set([...this.#calls.keys(), ...this.#later.map(({ key }) => key)]);
    this.#queue = (this.#plan.onFailure.region ?? []).filter(({ key }) => !known.has(key));
    return this.#queue.length > 0;
  }

  /** Tries the routes that wait; resolves with what ends the request, if anything does. */
  async #next(): Promise<Answer | Failure | undefined> {
    for (let route = this.#queue.shift(); route !== undefined; route = this.#queue.shift()) {
      if (!this.#mayCall()) return this.#toTell();
      const end = (await this.#isLimited(route)) ? undefined : await this.#try(route);
      if (end === undefined) continue;
      if ("answer" in end) return this.#chosen(end);
      if (this.#goOn(route, end.failure) === "end") return this.#toTell();
    }
    return undefined;
  }

  #chosen({ answer, answering }: Extract<AttemptEnd, { readonly answer: Answer }>): Answer {
    this.#call.answering = answering;
    return answer;
  }

  #mayCall(): boolean {
    const { signal, attempts } = this.#call;
    if (signal.aborted) return false;
    if (attempts.length === 0) return true;
    return attempts.length < CALLS_A_REQUEST && remainingMs(this.#call) >= LEAST_TIME_MS;
  }

  /** Whether a limit of the key for this very model is in the way: the route is passed over. */
  async #isLimited(route: Route): Promise<boolean> {
    const { call, parsed } = this.#request;
    leaveOtherModels(call, route);
    const failure = await takeModelLimits(call, parsed, route);
    if (failure === undefined) return false;
    (call.skipped ??= []).push({ key: route.key, reason: failure.message });
    // The model that was asked for comes first: its limit says more than that of a fallback.
    if (this.#told?.code !== "rate_limited") this.#told = moreTelling(this.#told, failure);
    return true;
  }

  /** `undefined`: the endpoint takes nothing now. */
  async #try(route: Route): Promise<AttemptEnd | undefined> {
    const first = startAttempt(this.#request, route, { obeys: this.#obeys });
    if (first === undefined) {
      this.#later.push(route);
      return undefined;
    }
    this.#calls.set(route.key, (this.#calls.get(route.key) ?? 0) + 1);
    return hedged(this.#call, first, () => this.#startNext());
  }

  /** The next route that takes something now, for a hedge. */
  async #startNext(): Promise<ReturnType<typeof startAttempt>> {
    const { call, parsed } = this.#request;
    const at = this.#queue.findIndex(({ key }) => !this.#calls.has(key));
    const route = this.#queue[at];
    if (route === undefined || !this.#mayCall()) return undefined;
    if ((await takeModelLimits(call, parsed, route)) !== undefined) return undefined;
    const second = startAttempt(this.#request, route, { hedge: true });
    if (second === undefined) return undefined;
    this.#queue.splice(at, 1);
    this.#calls.set(route.key, 1);
    return second;
  }

  /** What a failure leaves to try. */
  #goOn(route: Route, failure: Failure): "go-on" | "end" {
    this.#told = moreTelling(this.#told, failure);
    if (this.#call.signal.aborted) return "end";
    const { code } = failure;
    if (code === "context_length_exceeded") return this.#turnTo(largerThan(route), code);
    if (code === "content_policy") return this.#turnTo(ofOtherModels(route), code);
    const { tryNext, cool } = FAILURES[code];
    if (!tryNext || (this.#call.sideEffects && MAYBE_DONE.has(code))) return "end";
    this.#endpointFailed ||= cool === "endpoint";
    if (PASSING.has(code)) this.#later.push(route);
    return "go-on";
  }

  /** Only these of the routes can still help, and the operator's for this very failure. */
  #turnTo(
    helps: (route: Route) => boolean,
    code: "context_length_exceeded" | "content_policy",
  ): "go-on" | "end" {
    const chain = this.#plan.onFailure[code] ?? [];
    const own = new Set(this.#plan.routes);
    // The operator's own names are tried as they stand.
    const fresh = chain.filter(
      (route) => !this.#calls.has(route.key) && (helps(route) || !own.has(route)),
    );
    const rest = this.#queue.filter((route) => helps(route) && !fresh.includes(route));
    this.#queue = [...rest, ...fresh];
    this.#later = [];
    return this.#queue.length > 0 ? "go-on" : "end";
  }

  /** Pauses until one of the routes that failed may answer; `false`: it is not worth it. */
  async #waitForAnother(): Promise<boolean> {
    const routes = this.#later.filter(({ key }) => (this.#calls.get(key) ?? 0) < CALLS_A_ROUTE);
    if (routes.length === 0 || !this.#mayCall()) return false;
    const waitMs = this.#waitMs(routes);
    const { retries, tick } = this.#call.gateway;
    this.#endRepeat();
    this.#repeat = waitMs === undefined ? undefined : retries.repeat();
    if (waitMs === undefined || this.#repeat === undefined) return false;
    const began = tick();
    await pause(waitMs, this.#call.signal);
    this.#call.waitedMs += tick() - began;
    this.#waitedMs += waitMs;
    this.#queue = routes;
    this.#later = [];
    return !this.#call.signal.aborted;
  }

  /** A repeat holds its place until its answer begins or it has failed: pauses alone cost no one. */
  #endRepeat(): void {
    this.#repeat?.();
    this.#repeat = undefined;
  }

  /** Back-off, or until the endpoint takes requests again; `undefined` where that is too long. */
  #waitMs(routes: readonly Route[]): number | undefined {
    const { gateway } = this.#call;
    const backOff = backOffMs(this.#pauses++, gateway.random);
    const untilFree = gateway.health.retryInMs(routes.map(({ key }) => key));
    const waitMs = Math.max(backOff, untilFree);
    const bound = Math.min(LONGEST_WAIT_MS, WAITS_IN_ALL_MS - this.#waitedMs);
    const enough = remainingMs(this.#call) - waitMs >= LEAST_TIME_MS;
    return waitMs <= bound && enough ? waitMs : undefined;
  }

  #toTell(): Failure {
    const { reason } = this.#call.signal;
    if (reason instanceof AttemptAborted && reason.failure.code === "client_closed") {
      return reason.failure;
    }
    if (this.#told?.code === "rate_limited" && this.#call.attempts.length === 0) {
      this.#call.isOverLimit = true;
    }
    if (this.#told !== undefined) return this.#told;
    const keys = this.#plan.routes.map(({ key }) => key);
    return {
      code: "unavailable",
      message:
        "All endpoints that can serve this request are busy or kept away from at the moment.",
      retryAfterMs: Math.max(1000, this.#call.gateway.health.retryInMs(keys)),
    };
  }
}

const largerThan =
  ({ endpoint }: Route) =>
  (other: Route): boolean =>
    (other.endpoint.contextTokens ?? 0) > (endpoint.contextTokens ?? 0);

const ofOtherModels =
  ({ model }: Route) =>
  (other: Route): boolean =>
    other.model.id !== model.id;

/** Of two limits the sooner time; none where one of them told none (as OpenRouter does). */
function sooner(before: Failure, now: Failure): Failure {
  const { retryAfterMs: _time, ...untimed } = now;
  const [a, b] = [before.retryAfterMs, now.retryAfterMs];
  return a === undefined || b === undefined ? untimed : { ...now, retryAfterMs: Math.min(a, b) };
}

/** Of two failures the one that the caller can do something about: its own fault before a provider's. */
function moreTelling(before: Failure | undefined, now: Failure): Failure {
  if (before === undefined) return now;
  if (before.code === "upstream_rate_limited" && now.code === before.code) {
    return sooner(before, now);
  }
  return FAILURES[now.code].status < 500 || FAILURES[before.code].status >= 500 ? now : before;
}
