import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { CHAT_ANSWER, chatStream } from "../harness/payloads.ts";

/**
 * The provider that all contenders are measured against: answers every POST at once, with one JSON
 * body or with a paced stream. `POST /pace?events=100&ms=25` sets how streams run from then on.
 */
const port = Number(process.argv[2]);
const STREAM_MARK = '"stream":true';

let pieces: readonly Buffer[] = [];
let intervalMs = 25;

function setPace(events: number, ms: number): void {
  pieces = chatStream(events).map((piece) => Buffer.from(piece));
  intervalMs = ms;
}

function answerStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const sending = pieces;
  response.write(sending[0]);
  let at = 1;
  const timer = setInterval(() => {
    response.write(sending[at]);
    at++;
    if (at < sending.length) return;
    clearInterval(timer);
    response.end();
  }, intervalMs);
  response.on("close", () => clearInterval(timer));
}

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const url = new URL(request.url ?? "/", "http://upstream");
  if (url.pathname === "/pace") {
    setPace(Number(url.searchParams.get("events")), Number(url.searchParams.get("ms")));
    response.end();
    return;
  }
  // The flag stands at the end of the body or right after the model's name.
  if (body.includes(STREAM_MARK, Math.max(0, body.length - 400)) || body.includes(STREAM_MARK)) {
    return answerStream(response);
  }
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(CHAT_ANSWER),
    "x-request-id": "req_7f3c2a9d",
    "x-ratelimit-remaining-requests": "29999",
    "x-ratelimit-remaining-tokens": "149999789",
  });
  response.end(CHAT_ANSWER);
}

setPace(100, 25);
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (data: Buffer) => chunks.push(data));
  request.on("end", () => answer(request, response, Buffer.concat(chunks)));
});
server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", 4_096);
