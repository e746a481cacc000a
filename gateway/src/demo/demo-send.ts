import { createHash } from "node:crypto";

import { isObject, type JsonObject } from "#lib/json.ts";
import type { Send, UpstreamRequest } from "#upstream/answer.ts";

import { replyTo } from "./demo-answer.ts";
import { DemoBody, abortReason, type DemoClock, type DemoHead } from "./demo-body.ts";
import { DEMO_ENDPOINTS } from "./demo-catalog.ts";
import { embed } from "./demo-embeddings.ts";
import { DemoError, invalidField, readChat } from "./demo-request.ts";
import { renderStream, renderWhole } from "./demo-stream.ts";

const SYSTEM_CLOCK: DemoClock = {
  now: () => Date.now(),
  after(waitMs, callback) {
    if (waitMs === 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, waitMs);
    return () => clearTimeout(timer);
  },
};

/** A demo of its own: `flaky` counts its requests per demo. */
export function createDemoSend(clock: DemoClock = SYSTEM_CLOCK): Send {
  let flakyRequests = 0;
  const failNow = (): boolean => {
    flakyRequests += 1;
    return flakyRequests % 2 === 1;
  };
  return async (request) => {
    if (request.signal.aborted) throw abortReason(request.signal);
    return new DemoBody(answer(request, { clock, failNow }), request.signal, clock);
  };
}

/** Answers requests to the demo's URL within the process, with the bytes that a provider would send. */
export const demoSend: Send = createDemoSend();

interface DemoContext {
  readonly clock: DemoClock;
  readonly failNow: () => boolean;
}

function answer(request: UpstreamRequest, context: DemoContext): DemoHead {
  try {
    const body = readBody(request);
    return request.url.pathname === "/v1/embeddings"
      ? json(200, embed(checkModel(body, "embedding")))
      : chatHead(checkModel(body, "chat"), context);
  } catch (error) {
    if (error instanceof DemoError) return json(error.status, error.body);
    throw error;
  }
}

const PATHS = new Set(["/v1/chat/completions", "/v1/embeddings"]);

function readBody({ method, url, body }: UpstreamRequest): JsonObject {
  if (method !== "POST" || !PATHS.has(url.pathname)) {
    const message = `The demo has no ${method} ${url.pathname}.`;
    throw new DemoError(404, { message, code: "not_found" });
  }
  try {
    const value: unknown = JSON.parse(body?.toString("utf8") ?? "");
    if (isObject(value)) return value;
  } catch {
    // Named below, as what is JSON but no object.
  }
  throw new DemoError(400, { message: "The body is not a JSON object.", code: "invalid_json" });
}

function checkModel(body: JsonObject, kind: "chat" | "embedding"): JsonObject {
  const { model } = body;
  if (typeof model !== "string") throw invalidField("model", "a name is needed.");
  const names = DEMO_ENDPOINTS.map(({ upstreamModel }) => upstreamModel).filter(
    (name) => (name === "embed") === (kind === "embedding"),
  );
  if (names.includes(model)) return body;
  throw new DemoError(404, {
    message: `The demo has no ${kind} model '${model.slice(0, 60)}'; it has ${names.join(", ")}.`,
    code: "model_not_found",
    param: "model",
  });
}

function chatHead(body: JsonObject, { clock, failNow }: DemoContext): DemoHead {
  const chat = readChat(body);
  if (chat.model === "flaky" && failNow()) {
    const message = "The demo model 'flaky' fails every second request on purpose; this was one.";
    throw new DemoError(503, { message, code: "overloaded" });
  }
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const envelope = {
    id: `chatcmpl-demo-${digest.slice(0, 24)}`,
    created: Math.floor(clock.now() / 1000),
    model: chat.model,
  };
  const reply = replyTo(chat);
  if (!chat.stream) return { ...JSON_HEAD, chunks: renderWhole(chat, reply, envelope) };
  const headers = { "content-type": "text/event-stream; charset=utf-8" };
  return { status: 200, headers, chunks: renderStream(chat, reply, envelope) };
}

const JSON_HEAD = { status: 200, headers: { "content-type": "application/json" } } as const;

const json = (status: number, body: JsonObject): DemoHead => ({
  ...JSON_HEAD,
  status,
  chunks: [{ waitMs: 0, text: JSON.stringify(body) }],
});
