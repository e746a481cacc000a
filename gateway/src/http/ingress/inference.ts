import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { ClientProtocol } from "#canonical/protocol-name.ts";
import { GatewayError } from "#canonical/failure.ts";
import { createAnswerSink } from "#http/stream-writer.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import { paysByItself } from "#pipeline/identify.ts";
import type { OperationName } from "#canonical/operation-name.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { handleRequest } from "#pipeline/handle-request.ts";

export interface InferenceRoute {
  readonly path: string;
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
}

/** Every way in. Gemini's, whose path names model and verb, are beside them. */
export const INFERENCE_ROUTES: readonly InferenceRoute[] = [
  { path: "/chat/completions", operation: "chat", protocol: "openai-chat" },
  { path: "/completions", operation: "chat", protocol: "openai-completions" },
  { path: "/responses", operation: "chat", protocol: "openai-responses" },
  { path: "/messages", operation: "chat", protocol: "anthropic-messages" },
  { path: "/messages/count_tokens", operation: "count-tokens", protocol: "anthropic-messages" },
  { path: "/embeddings", operation: "embeddings", protocol: "openai-chat" },
  { path: "/rerank", operation: "rerank", protocol: "openai-chat" },
  { path: "/moderations", operation: "moderations", protocol: "openai-chat" },
];

/** A map: the verb is the client's own text, and in an object "constructor" would be found too. */
export const GEMINI_VERBS: ReadonlyMap<string, OperationName> = new Map([
  ["generateContent", "chat"],
  ["streamGenerateContent", "chat"],
  ["countTokens", "count-tokens"],
]);

type Tick = () => { readonly now: number; readonly tick: number };

/** Adds the inference routes under `/v1` and its aliases. */
export function addInferenceRoutes(server: FastifyInstance, gateway: Gateway, clock: Tick): void {
  for (const { path, operation, protocol } of INFERENCE_ROUTES) {
    for (const prefix of ["/v1", "/openai/v1", "/anthropic/v1"]) {
      const serving = { gateway, clock, operation, protocol };
      const onRequest = refuseStrangers(serving);
      server.post(prefix + path, { onRequest }, (request, reply) => serve(request, reply, serving));
    }
  }
  // Models with slashes in their name are part of the wildcard; the verb is behind the last colon.
  // `@ai-sdk/google` leaves `models/` out before such a name (4.0.121, `getModelPath`).
  for (const path of ["/v1beta/models/*", "/v1/models/*", "/v1beta/*"]) {
    const strangers = { gateway, clock, operation: "chat", protocol: "gemini" } as const;
    const onRequest = refuseStrangers(strangers);
    server.post(path, { onRequest }, (request, reply) => {
      const { model, verb } = geminiTarget((request.params as { "*": string })["*"]);
      const operation = GEMINI_VERBS.get(verb);
      if (operation === undefined) throw unknownVerb(verb);
      const array = (request.query as { alt?: string }).alt !== "sse";
      const target = {
        pathModel: model,
        pathVerb: verb,
        ...(array && { streamFormat: "json-array" as const }),
      };
      return serve(request, reply, { gateway, clock, operation, protocol: "gemini", ...target });
    });
  }
}

function geminiTarget(rest: string): { model: string; verb: string } {
  const colon = rest.lastIndexOf(":");
  return colon === -1
    ? { model: rest, verb: "" }
    : { model: rest.slice(0, colon), verb: rest.slice(colon + 1) };
}

const unknownVerb = (verb: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    message: `Models have no method "${verb.slice(0, 60)}" here; there are ${[...GEMINI_VERBS.keys()].join(", ")}.`,
  });

interface Serving {
  readonly gateway: Gateway;
  readonly clock: Tick;
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
  readonly pathModel?: string;
  readonly pathVerb?: string;
  readonly streamFormat?: "json-array";
}

/**
 * Answers who has no key before the body is taken in: strangers could fill the memory with bodies.
 * The pipeline does it, as everywhere; it needs no body to say no.
 */
const refuseStrangers =
  (serving: Serving) =>
  (request: FastifyRequest, reply: FastifyReply, goOn: () => void): void => {
    const { gateway } = serving;
    if (paysByItself(request, gateway)) {
      const most = gateway.payments?.maxBodyBytes ?? 0;
      // A body without a length could be of any.
      const isChunked = request.headers["transfer-encoding"] !== undefined;
      const length = Number(request.headers["content-length"] ?? 0);
      if (!isChunked && length <= most) goOn();
      else void reply.send(tooLarge(most));
      return;
    }
    try {
      gateway.keys.authenticate(credentialOf(request), request.ip);
    } catch {
      serve(request, reply, serving);
      return;
    }
    goOn();
  };

const tooLarge = (most: number): GatewayError =>
  new GatewayError({
    code: "payload_too_large",
    message: `Without a key a body may have ${most} bytes, and its length must be in content-length. Use a key of this gateway for larger ones.`,
  });

function serve(request: FastifyRequest, reply: FastifyReply, serving: Serving): FastifyReply {
  const { gateway, clock, ...target } = serving;
  const { now, tick } = clock();
  const gone = new AbortController();
  const { raw } = reply;
  reply.hijack();
  raw.on("close", () => {
    if (!raw.writableFinished) gone.abort();
  });
  void handleRequest(
    {
      ...target,
      requestId: request.id,
      headers: request.headers,
      clientAddress: request.ip,
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      startedAt: now,
      startedTick: tick,
      clientGone: gone.signal,
      sink: createAnswerSink(raw, gateway.timeouts().writeStallMs),
    },
    gateway,
  );
  return reply;
}
