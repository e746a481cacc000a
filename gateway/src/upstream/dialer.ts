import { isIP } from "node:net";

// The pool alone: the package's index also loads fetch, WebSocket and caches, 6 MB that nothing here uses.
import Pool from "undici/lib/dispatcher/pool.js";

import type {
  BodySink,
  HeaderMap,
  Send,
  UpstreamAnswer,
  UpstreamRequest,
} from "#upstream/answer.ts";
import { BlockedAddressError, guardedLookup, isPrivateAddress } from "#upstream/guarded-lookup.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** Each open stream holds one: above the concurrency of the largest provider accounts, below the usual limit of open files. */
const CONNECTIONS_PER_ORIGIN = 4_096;
const KEEP_ALIVE_MS = 30_000;

/** Sends requests to the internet. */
export interface Dialer {
  readonly send: Send;
  close(): Promise<void>;
}

/**
 * The one place that opens connections: a pool an origin, and every address checked at the moment
 * of dialling. `trustedOrigins` are those that the operator set as base URLs (or started on this
 * machine); only they may be private. Redirects are never followed.
 */
export function createDialer(trustedOrigins: () => ReadonlySet<string>): Dialer {
  const pools = new Map<string, Pool>();
  const poolOf = ({ url, publicOnly = false }: UpstreamRequest): Pool => {
    const trusted = !publicOnly && trustedOrigins().has(url.origin);
    // What the operator trusts may change: a pool never outlives the decision that it was made by.
    const key = `${url.origin} ${trusted}`;
    const existing = pools.get(key);
    if (existing !== undefined) return existing;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Literal addresses never reach `lookup`.
    if (!trusted && isIP(host) !== 0 && isPrivateAddress(host)) throw new BlockedAddressError(host);
    const connect = { timeout: CONNECT_TIMEOUT_MS };
    const pool = new Pool(url.origin, {
      connections: CONNECTIONS_PER_ORIGIN,
      keepAliveTimeout: KEEP_ALIVE_MS,
      pipelining: 1,
      connect: trusted ? connect : { ...connect, lookup: guardedLookup },
    });
    pools.set(key, pool);
    return pool;
  };
  return {
    send: async (request) => dispatch(poolOf(request), request),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

interface Controller {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/**
 * Runs one request by undici's dispatch handler: its streams and promises would cost more than all
 * of the gateway's own work on a chunk. The body is paused from the head until somebody reads it.
 */
function dispatch(pool: Pool, request: UpstreamRequest): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(request, resolve, reject);
    if (request.signal.aborted) return reject(abortReason(request.signal));
    pool.dispatch(
      {
        method: request.method,
        path: request.url.pathname + request.url.search,
        headers: request.headers,
        body: request.body ?? null,
        headersTimeout: request.headTimeoutMs,
        bodyTimeout: request.idleTimeoutMs,
      },
      exchange,
    );
  });
}

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error("aborted");

/** One request on the wire: undici's handler towards the socket, `UpstreamAnswer` towards the reader. */
class Exchange implements UpstreamAnswer {
  status = 0;
  headers: HeaderMap = {};
  #controller: Controller | undefined;
  #sink: BodySink | undefined;
  #done = false;
  /** How the body ended, kept for a reader that attaches later. */
  #outcome: "open" | "ended" | Error = "open";
  readonly #startedTick = performance.now();
  readonly #headTimeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #resolve: (answer: UpstreamAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #onAbort = (): void => {
    const reason = abortReason(this.#signal);
    this.#controller?.abort(reason);
    this.#fail(reason);
  };

  constructor(
    { signal, headTimeoutMs }: UpstreamRequest,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#headTimeoutMs = headTimeoutMs;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener("abort", this.#onAbort);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // Aborted while it waited for a free connection: it must not go out any more.
    if (this.#signal.aborted) controller.abort(abortReason(this.#signal));
  }

  onResponseStart(controller: Controller, status: number, headers: HeaderMap): void {
    if (status < 200) return this.#informed(controller);
    this.status = status;
    this.headers = headers;
    controller.pause();
    this.#resolve(this);
  }

  /** Each informational response starts undici's wait for the head anew: a flood of them has no end. */
  #informed(controller: Controller): void {
    if (performance.now() - this.#startedTick < this.#headTimeoutMs) return;
    const error = Object.assign(new Error("no head"), { code: "UND_ERR_HEADERS_TIMEOUT" });
    controller.abort(error);
    this.#fail(error);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (!this.#done) this.#sink?.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#done) return;
    this.#finish();
    this.#outcome = "ended";
    this.#sink?.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#fail(error);
  }

  read(sink: BodySink): void {
    if (this.#outcome === "ended") return sink.end();
    if (this.#outcome !== "open") return sink.fail(this.#outcome);
    this.#sink = sink;
    this.#controller?.resume();
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#done) this.#controller?.resume();
  }

  abort(): void {
    if (this.#done) return;
    this.#finish();
    this.#controller?.abort(new Error("no longer needed"));
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.#finish();
    this.#outcome = error;
    // Only one of the two is listening: the promise until the head, the sink after it.
    this.#reject(error);
    this.#sink?.fail(error);
  }

  #finish(): void {
    this.#done = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
