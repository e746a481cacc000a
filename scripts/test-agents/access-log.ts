import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A request that reached the gateway, on whatever path, and how it was answered. */
export interface Access {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

interface Finished {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const CHANNEL = "http.server.response.finish";

/** Writes down every answer of this process's server on that port, until stopped. */
export function startAccessLog(port: number): { readonly lines: Access[]; stop(): void } {
  const lines: Access[] = [];
  const onFinish = (message: unknown): void => {
    const { request, response } = message as Finished;
    if (request.socket.localPort !== port) return;
    const { method = "", url: path = "" } = request;
    lines.push({ method, path, status: response.statusCode });
  };
  subscribe(CHANNEL, onFinish);
  return { lines, stop: () => void unsubscribe(CHANNEL, onFinish) };
}
