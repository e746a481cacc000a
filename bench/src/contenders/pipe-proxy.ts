import { createServer } from "node:http";

import { Pool } from "undici";

/** The least that a streaming proxy in Node can do: bytes in, bytes out, nothing looked at. */
const port = Number(process.argv[2]);
const upstream = new Pool(process.argv[3] ?? "", { pipelining: 1 });

const server = createServer((request, response) => {
  if (request.method === "GET") return void response.end("ok");
  void upstream
    .request({
      method: "POST",
      path: request.url ?? "/",
      headers: { "content-type": "application/json", authorization: "Bearer bench" },
      body: request,
    })
    .then((answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.body.pipe(response);
    });
});
server.listen(port, "127.0.0.1", 4_096);
