import type { OperationName } from "#canonical/operation-name.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Where an answer goes. The pipeline knows no sockets; `http/` implements it over one. */
export interface AnswerSink {
  /** Sends a whole answer. */
  json(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Starts a 200 stream; nothing was sent before. */
  startStream(headers: Readonly<Record<string, string>>, format?: "json-array"): void;
  /** Sends a piece of the stream. `false`: the reader is behind, wait for `onDrain`. */
  write(bytes: string | Buffer): boolean;
  /** Calls back once, when the reader has caught up. */
  onDrain(callback: () => void): void;
  end(): void;
  /** Closes the connection without a proper end: the reader does not read. */
  destroy(): void;
}

/** One request as it came in, and the way back. */
export interface Exchange {
  readonly requestId: string;
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
  readonly headers: RequestHeaders;
  /** Where it comes from, proxies that the operator trusts left out. */
  readonly clientAddress?: string;
  readonly body: Buffer;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** Monotonic milliseconds of the same moment. */
  readonly startedTick: number;
  /** Gemini names model and verb in its path. */
  readonly pathModel?: string;
  readonly pathVerb?: string;
  /** Gemini without `alt=sse` streams one JSON array. Absent: server-sent events. */
  readonly streamFormat?: "json-array";
  /** Aborted when the client closes its connection before the answer is complete. */
  readonly clientGone: AbortSignal;
  readonly sink: AnswerSink;
}

export const headerText = (headers: RequestHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};
