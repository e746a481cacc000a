import type { Duplex } from "node:stream";

import Fastify, {
  type FastifyServerOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";

import { GatewayError, type Failure, FAILURES } from "#canonical/failure.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import { isApiPath, sendProblem } from "#http/admin/problem.ts";
import { newId } from "#lib/ids.ts";
import { maskSecrets } from "#lib/mask-secrets.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";

/** Agents send 40 to 90 kB a turn, images and documents more; the largest provider limit is 32 MB. */
const DEFAULT_BODY_LIMIT = 32 * 1024 * 1024;

/** No route has a schema: bodies are read by hand. Fastify's default would load a compiler of 150 files. */
const NO_COMPILERS = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => (data: unknown) => JSON.stringify(data),
  // Fastify types these as the classes of its own compilers.
} as unknown as NonNullable<
  NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]
>;

export interface ServerOptions {
  readonly now: () => number;
  /** Largest request body in bytes; 32 MiB by default. */
  readonly bodyLimit: number | undefined;
  readonly log: Log;
  /** Addresses and ranges whose `x-forwarded-for` is believed; none by default. */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** Limits of the sockets: a slow or silent sender holds no connection for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than the idle time of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** A client that was refused has this long to read why and to close its side. */
const REFUSED_LINGER_MS = 1_000;

/** The dialect in which a path's errors are written. */
function protocolOfPath(path: string): ClientProtocol {
  if (path.includes("/v1/messages") || path.startsWith("/anthropic/")) return "anthropic-messages";
  if (path.startsWith("/v1beta") || /\/v1\/models\/.+:/.test(path)) return "gemini";
  if (path.includes("/v1/responses")) return "openai-responses";
  return "openai-chat";
}

/** The HTTP server without routes: body as bytes, errors in the path's dialect. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { now, bodyLimit = DEFAULT_BODY_LIMIT, trustedProxies = [] } = options;
  const server = Fastify({
    bodyLimit,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Java's HTTP client offers `upgrade: h2c` on every request; who does not want it ignores it.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 400 },
    genReqId: () => newId("req_", now()),
    // The client's own `x-request-id` would let it forge ours.
    requestIdHeader: false,
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    clientErrorHandler: refuseUnreadable,
    schemaController: { compilersFactory: NO_COMPILERS },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, request, reply) =>
    sendFailure(request, reply, failureOf(error, request, options)),
  );
  server.setNotFoundHandler((request, reply) =>
    sendFailure(request, reply, {
      code: "not_found",
      message: `There is no ${request.method} ${maskSecrets(request.url.split("?")[0]?.slice(0, 200) ?? "")}. Inference is at /v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings, /v1/rerank, /v1/moderations and /v1beta/models/<model>:generateContent; /v1/models lists the models.`,
    }),
  );
  server.server.on("upgrade", (_request, socket) => refuseUpgrade(socket));
  return server;
}

const UNREADABLE: Readonly<Record<string, readonly [statusLine: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    `The headers are over ${MAX_HEADER_BYTES / 1024} KiB. Send fewer or shorter ones.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    "408 Request Timeout",
    `The headers have to be complete within ${HEADERS_TIMEOUT_MS / 1000} s and the body within ${REQUEST_TIMEOUT_MS / 1000} s. Send the request again.`,
  ],
};

/** What is no HTTP request has no path, so no dialect: it is answered as OpenAI would. */
function refuseUnreadable({ code = "" }: { readonly code?: string }, socket: Duplex): void {
  // Answered before: what still comes is of the same request.
  if (socket.writableEnded) return;
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [statusLine, message] = UNREADABLE[code] ?? [
    "400 Bad Request",
    `This is no HTTP request that can be read (${code}). Look at its headers and at the length of its body.`,
  ];
  const error = { message, type: "invalid_request_error", param: null, code: "invalid_request" };
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${statusLine}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}`;
  // Closed at once, what is unread would reset the connection before the answer is read.
  socket.end(`${head}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), REFUSED_LINGER_MS).unref();
}

/** Codex tries WebSocket first: at 426 it goes on with HTTP at once, at 404 after seven tries. */
function refuseUpgrade(socket: Duplex): void {
  // Node hands the socket over without listeners: a reset by the client would end the process.
  socket.on("error", () => socket.destroy());
  socket.resume();
  socket.end("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  setTimeout(() => socket.destroy(), REFUSED_LINGER_MS).unref();
}

/** Writes a failure in the dialect of the request's path. */
function sendFailure(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  if (isApiPath(request.url)) return sendProblem(request, reply, failure);
  const kind: { status: number; clientRetry?: false } = FAILURES[failure.code];
  const codec = CLIENT_CODECS[protocolOfPath(request.url)];
  reply.code(kind.status).headers({ "x-request-id": request.id, "request-id": request.id });
  if (kind.clientRetry === false) reply.header("x-should-retry", "false");
  if (failure.terms !== undefined) reply.headers(failure.terms.headers);
  return reply.send({ ...failure.terms?.body, ...codec.renderError(failure, request.id) });
}

const LESS_AT_ONCE = "Nothing here needs as much: send shorter lists and texts.";
const LARGE_BY_NAME =
  "Send large files by URL or file id, or have whoever runs the gateway raise limits.bodyBytes.";

function failureOf(
  error: unknown,
  { routeOptions, url }: FastifyRequest,
  { bodyLimit = DEFAULT_BODY_LIMIT, log }: ServerOptions,
): Failure {
  if (error instanceof GatewayError) return error.failure;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const limit = `${((routeOptions.bodyLimit ?? bodyLimit) / 1024 / 1024).toFixed(1)} MiB`;
    return {
      code: "payload_too_large",
      message: `The body is over ${limit}. ${isApiPath(url) ? LESS_AT_ONCE : LARGE_BY_NAME}`,
    };
  }
  if (statusCode !== undefined && statusCode < 500) {
    return {
      code: "invalid_request",
      message: error instanceof Error ? error.message : "The request cannot be read.",
    };
  }
  log.error(errorFacts(error), "a request failed outside the pipeline");
  return { code: "internal", message: "The gateway failed at this request. Its log says why." };
}
