import { Pool } from "undici";

import type { Door, Shape } from "../contenders/contender.ts";

/** One answer as its reader saw it, times in milliseconds from the request. */
interface Seen {
  readonly firstByteMs: number;
  readonly totalMs: number;
}

/** What a run of load was answered. */
export interface LoadResult {
  readonly answers: readonly Seen[];
  readonly elapsedMs: number;
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What the answer has to end with. */
  readonly endsWith: string;
}

/** An open way to a door; answers that are not what they should be reject. */
export class Client {
  readonly #pool: Pool;
  readonly #sent: Sent;

  constructor(door: Door, shape: Shape) {
    this.#pool = new Pool(door.origin, { pipelining: 1, keepAliveTimeout: 60_000 });
    const { path, headers } = door;
    const endsWith = shape.stream ? door.streamEnd : "}";
    this.#sent = { path, headers, body: Buffer.from(door.body(shape)), endsWith };
  }

  /** Sends one request and reads its answer to the end; `onFirstByte` is called when it begins. */
  exchange(onFirstByte?: () => void): Promise<Seen> {
    const { path, headers, body, endsWith } = this.#sent;
    const started = performance.now();
    return new Promise((resolve, reject) => {
      let status = 0;
      let firstByteMs = -1;
      let last: Buffer = Buffer.alloc(0);
      this.#pool.dispatch(
        { method: "POST", path, headers, body, bodyTimeout: 0 },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, statusCode) => void (status = statusCode),
          onResponseData: (_controller, chunk) => {
            if (firstByteMs < 0) {
              firstByteMs = performance.now() - started;
              onFirstByte?.();
            }
            last = chunk.length >= endsWith.length ? chunk : Buffer.concat([last, chunk]);
          },
          onResponseEnd: () => {
            const end = last.toString();
            if (status === 200 && end.trimEnd().endsWith(endsWith.trimEnd())) {
              resolve({ firstByteMs, totalMs: performance.now() - started });
            } else reject(new Error(`${path} answered ${status}: …${end.slice(-600)}`));
          },
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** Keeps `concurrency` requests in flight until the time is up; what has begun is finished. */
export async function loadFor(
  client: Client,
  { concurrency, ms }: { readonly concurrency: number; readonly ms: number },
): Promise<LoadResult> {
  const answers: Seen[] = [];
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - started < ms) answers.push(await client.exchange());
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { answers, elapsedMs: performance.now() - started };
}

/** Lets `concurrency` readers take `each` answers, their starts spread over `spreadMs`. */
export async function loadCount(
  client: Client,
  {
    concurrency,
    each,
    spreadMs,
  }: { readonly concurrency: number; readonly each: number; readonly spreadMs: number },
): Promise<LoadResult> {
  const answers: Seen[] = [];
  const started = performance.now();
  const worker = async (at: number): Promise<void> => {
    await pause((spreadMs * at) / concurrency);
    for (let count = 0; count < each; count++) answers.push(await client.exchange());
  };
  await Promise.all(Array.from({ length: concurrency }, (_, at) => worker(at)));
  return { answers, elapsedMs: performance.now() - started };
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
