import type { BodySink, HeaderMap, UpstreamAnswer } from "#upstream/answer.ts";

import type { DemoChunk } from "./demo-stream.ts";

/** Time as the demo uses it. */
export interface DemoClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once; the result cancels. */
  after(waitMs: number, callback: () => void): () => void;
}

export interface DemoHead {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly chunks: readonly DemoChunk[];
}

const NOT_WAITING = (): void => undefined;

/** An answer whose chunks come one by one, each after its wait; it stops at once when it is aborted. */
export class DemoBody implements UpstreamAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly #chunks: readonly DemoChunk[];
  readonly #signal: AbortSignal;
  readonly #clock: DemoClock;
  #sink: BodySink | undefined;
  #next = 0;
  #waited = false;
  #paused = false;
  #pumping = false;
  #done = false;
  #cancelWait = NOT_WAITING;
  readonly #onAbort = (): void => {
    if (this.#done) return;
    this.abort();
    this.#sink?.fail(abortReason(this.#signal));
  };

  constructor(head: DemoHead, signal: AbortSignal, clock: DemoClock) {
    this.status = head.status;
    this.headers = head.headers;
    this.#chunks = head.chunks;
    this.#signal = signal;
    this.#clock = clock;
    signal.addEventListener("abort", this.#onAbort);
  }

  read(sink: BodySink): void {
    if (this.#done) return sink.fail(abortReason(this.#signal));
    this.#sink = sink;
    // As a socket would: nothing arrives before the reader has finished setting up.
    this.#cancelWait = this.#clock.after(0, () => this.#pump());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#sink !== undefined && !this.#pumping && this.#cancelWait === NOT_WAITING) {
      this.#cancelWait = this.#clock.after(0, () => this.#pump());
    }
  }

  abort(): void {
    this.#done = true;
    this.#cancelWait();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  /** Gives chunks to the sink until one has to be waited for, the reader pauses, or all are given. */
  #pump(): void {
    this.#cancelWait = NOT_WAITING;
    this.#pumping = true;
    while (!this.#done && !this.#paused) {
      const chunk = this.#chunks[this.#next];
      if (chunk === undefined) {
        this.abort();
        this.#sink?.end();
        break;
      }
      if (chunk.waitMs > 0 && !this.#waited) {
        this.#waited = true;
        this.#cancelWait = this.#clock.after(chunk.waitMs, () => this.#pump());
        break;
      }
      this.#next += 1;
      this.#waited = false;
      this.#sink?.data(Buffer.from(chunk.text));
    }
    this.#pumping = false;
  }
}

export const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error("aborted");
