import type { ServerResponse } from "node:http";

import type { AnswerSink } from "#pipeline/exchange.ts";

const JSON_TYPE = "application/json; charset=utf-8";

/** Headers that keep proxies on the way from holding a stream back. */
const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/**
 * The way back over a socket. Writes after the client has left go nowhere and harm nothing. Of a
 * complete answer nothing may stay unread longer than `stallMs`: it would be kept for ever.
 */
export function createAnswerSink(response: ServerResponse, stallMs: number): AnswerSink {
  const gone = (): boolean => response.destroyed || response.writableEnded;
  const end = (body?: string): void => {
    response.end(body);
    if (response.writableLength > 0) response.setTimeout(stallMs, () => response.destroy());
  };
  return {
    json(status, headers, body) {
      if (gone() || response.headersSent) return;
      response.writeHead(status, {
        "content-type": JSON_TYPE,
        "content-length": Buffer.byteLength(body),
        ...headers,
      });
      end(body);
    },
    startStream(headers, format) {
      if (gone() || response.headersSent) return;
      const type = format === "json-array" ? { "content-type": JSON_TYPE } : undefined;
      response.writeHead(200, { ...STREAM_HEADERS, ...type, ...headers });
      response.flushHeaders();
    },
    write: (bytes) => gone() || response.write(bytes),
    onDrain: (callback) => void response.once("drain", callback),
    end() {
      if (!gone()) end();
    },
    destroy: () => void response.destroy(),
  };
}
