import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { Pool } from "undici";

/** The least that a streaming proxy in Node can do: bytes in, bytes out, nothing looked at. */
const port = Number(process.argv[2]);
const upstream = new Pool(process.argv[3] ?? "", { pipelining: 1 });

const server = createServer((request, response) => {
  if (request.method === "GET") response.end("ok");
  else void forward(request, response);
});
server.listen(port, "127.0.0.1", 4_096);

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await upstream.request({
    method: "POST",
    path: request.url ?? "/",
    headers: { "content-type": "application/json", authorization: "Bearer bench" },
    body: request,
  });
  response.writeHead(answer.statusCode, answer.headers);
  answer.body.pipe(response);
}
