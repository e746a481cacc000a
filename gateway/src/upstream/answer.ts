/** Receives a body as it comes. All calls are synchronous and in order; `end` or `fail` comes once. */
export interface BodySink {
  data(chunk: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

export type HeaderMap = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose head has arrived. Its body waits until `read` is called. */
export interface UpstreamAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: HeaderMap;
  /** Starts the body. */
  read(sink: BodySink): void;
  /** Back-pressure: no `data` between `pause` and `resume`. */
  pause(): void;
  resume(): void;
  /** Closes the connection; the sink hears nothing more. */
  abort(): void;
}

export interface UpstreamRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Aborted when the client leaves or the deadline passes. */
  readonly signal: AbortSignal;
  /** Until the head of the answer. */
  readonly headTimeoutMs: number;
  /** Longest silence within the body. */
  readonly idleTimeoutMs: number;
  /** Refuses private addresses whatever the operator trusts: the address is a tenant's. */
  readonly publicOnly?: boolean;
}

/** Sends a request to a provider: over the network, or to the built-in demo. Rejects on a failed connection. */
export type Send = (request: UpstreamRequest) => Promise<UpstreamAnswer>;

/** Reads a whole body; rejects with `RangeError` when it is over `limitBytes`. */
export function readAll(answer: UpstreamAnswer, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.read({
      data(chunk) {
        size += chunk.length;
        if (size > limitBytes) {
          answer.abort();
          reject(new RangeError(`answer over ${limitBytes} bytes`));
          return;
        }
        chunks.push(chunk);
      },
      end: () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
      fail: reject,
    });
  });
}
