import Fastify from "fastify";
import { Pool } from "undici";

/** The least that a gateway in Node can do: read JSON, write it, read the answer, write it. */
const port = Number(process.argv[2]);
const upstream = new Pool(process.argv[3] ?? "", { connections: 512, pipelining: 1 });
const server = Fastify({ bodyLimit: 32 * 1024 * 1024 });

server.get("/healthz", () => ({ ok: true }));
server.post("/v1/chat/completions", async (request, reply) => {
  const answer = await upstream.request({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { "content-type": "application/json", authorization: "Bearer bench" },
    body: JSON.stringify(request.body),
  });
  reply.code(answer.statusCode);
  return answer.body.json();
});

await server.listen({ host: "127.0.0.1", port, backlog: 4_096 });
