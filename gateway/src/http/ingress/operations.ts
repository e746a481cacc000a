import type { FastifyInstance } from "fastify";

interface Deps {
  readonly isReady: () => boolean;
  /** Whether the data store could be read lately: without it no request could be answered. */
  readonly storeAnswers: () => boolean;
  readonly version: string;
}

const LINKS = [
  ["/healthz", "is the process alive"],
  ["/readyz", "is it ready for requests"],
] as const;

/** Adds health and the start page. */
export function addOperationsRoutes(server: FastifyInstance, deps: Deps): void {
  const { isReady, storeAnswers, version } = deps;
  server.get("/healthz", () => ({ status: "ok", version }));
  server.get("/readyz", (_request, reply) => {
    if (!isReady()) return reply.code(503).send({ status: "stopping" });
    return storeAnswers()
      ? { status: "ready" }
      : reply.code(503).send({ status: "store_unavailable" });
  });
  // Claude Code asks this before its first request; any answer will do.
  server.get("/api/hello", () => ({ status: "ok" }));
  const items = LINKS.map(([path, text]) => `<li><a href="${path}">${path}</a> — ${text}</li>`);
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Turnpike</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>Turnpike ${version}</h1><p>One gate in front of every AI model. Point your SDK's base URL here:</p>
<p><code>OPENAI_BASE_URL=http://HOST:PORT/v1</code><br><code>ANTHROPIC_BASE_URL=http://HOST:PORT</code></p>
<ul>${items.join("")}</ul></body></html>`;
  server.get("/", (request, reply) =>
    reply
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .type("text/html; charset=utf-8")
      .send(page.replaceAll("HOST:PORT", safeHost(request.headers.host))),
  );
}

/** The host is the client's own text: only what looks like one gets into the page. */
const safeHost = (host: string | undefined): string =>
  host !== undefined && /^[A-Za-z0-9.:[\]-]{1,100}$/.test(host) ? host : "127.0.0.1:8402";
