import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { parseObject, type JsonObject } from "#lib/json.ts";

/** A request as the fake provider received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: JsonObject;
}

/** What the fake provider does with one request: it has the response in its hands. */
export type Script = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export interface FakeUpstream {
  /** Origin without a trailing slash. */
  readonly origin: string;
  /** All requests so far, in order. */
  readonly requests: ReceivedRequest[];
  /** Connections that the gateway closed before the answer was complete. */
  readonly aborted: () => number;
  /** Connections that are open now. */
  readonly openConnections: () => Promise<number>;
  /** What the next requests get; the last one given stays. */
  answer(...scripts: Script[]): void;
  close(): Promise<void>;
}

/** A provider on the loopback that does what the test says: real sockets, real bytes. */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const requests: ReceivedRequest[] = [];
  let scripts: Script[] = [status(500, { error: { message: "no script was set" } })];
  let aborted = 0;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url: path = "", headers } = incoming;
      const request = { method, path, headers, text, body: parseObject(text) ?? {} };
      requests.push(request);
      response.on("close", () => {
        if (!response.writableFinished) aborted++;
      });
      const script = scripts.length > 1 ? scripts.shift() : scripts[0];
      void script?.(request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    aborted: () => aborted,
    openConnections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    answer: (...next) => {
      scripts = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with a status and a JSON body. */
export const status =
  (code: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (_request, response) => {
    response.writeHead(code, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

export const json = (body: unknown): Script => status(200, body);

/** Answers with exact bytes, in pieces of the given size. */
export const bytes =
  (
    body: Buffer | string,
    options: { readonly type?: string; readonly pieceSize?: number; readonly status?: number } = {},
  ): Script =>
  async (_request, response) => {
    const all = Buffer.from(body);
    response.writeHead(options.status ?? 200, {
      "content-type": options.type ?? "text/event-stream",
    });
    const size = options.pieceSize ?? all.length;
    for (let at = 0; at < all.length; at += size) {
      response.write(all.subarray(at, at + size));
      // Each piece is a read of its own at the other end.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    response.end();
  };

/** Server-sent events from data objects; `[DONE]` and other text as it is. */
export const sse = (...events: readonly unknown[]): Script =>
  bytes(
    events
      .map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
      .join(""),
  );
