import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort, startProcess } from "../harness/processes.ts";
import { chatDoor, type Contender, type Skipped } from "./contender.ts";

/** Starts NGINX as a reverse proxy with kept connections: the floor, in C, with nothing read. */
export async function startNginx(upstream: string): Promise<Contender | Skipped> {
  const folder = mkdtempSync(join(tmpdir(), "turnpike-bench-nginx-"));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = join(folder, "nginx.conf");
  writeFileSync(config, configuration(folder, port, new URL(upstream).host));
  try {
    const running = await startProcess({
      command: process.env["TURNPIKE_BENCH_NGINX"] ?? "nginx",
      args: ["-p", folder, "-c", config, "-e", join(folder, "error.log")],
      readyUrl: `${origin}/healthz`,
    });
    const stop = async (): Promise<void> => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { pid: running.pid, stop, doors: [chatDoor("nginx", origin)] };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { skipped: `nginx: ${reason}` };
  }
}

const configuration = (folder: string, port: number, upstream: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  client_max_body_size 33m;
  client_body_buffer_size 128k;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  upstream provider { server ${upstream}; keepalive 512; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
