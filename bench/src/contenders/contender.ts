import { fileURLToPath } from "node:url";

import { chatRequest } from "../harness/payloads.ts";
import { freePort, startProcess, type Running } from "../harness/processes.ts";

export interface Shape {
  readonly bytes: number;
  readonly stream: boolean;
}

/** One way to send a request through a contender's process. */
export interface Door {
  readonly name: string;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (shape: Shape) => string;
  /** Text that a complete stream ends with. */
  readonly streamEnd: string;
}

/** A started contender; the gateway has several doors into one process. */
export interface Contender extends Running {
  readonly doors: readonly Door[];
}

/** Told instead of a contender that cannot take part. */
export interface Skipped {
  readonly skipped: string;
}

export const JSON_TYPE = { "content-type": "application/json" };

/** A door that takes a Chat Completions request. */
export const chatDoor = (
  name: string,
  origin: string,
  headers: Readonly<Record<string, string>> = {},
): Door => ({
  name,
  origin,
  path: "/v1/chat/completions",
  headers: { ...JSON_TYPE, ...headers },
  body: chatRequest,
  streamEnd: "[DONE]\n\n",
});

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts one of our own single-file proxies in front of the upstream. */
export async function startProxy(name: "bare" | "pipe", upstream: string): Promise<Contender> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const file = name === "bare" ? "./bare-proxy.ts" : "./pipe-proxy.ts";
  const running = await startProcess({
    command: process.execPath,
    args: [script(file), String(port), upstream],
    readyUrl: `${origin}/healthz`,
  });
  return { ...running, doors: [chatDoor(name, origin)] };
}

/** Starts the fake provider. */
export async function startUpstream(): Promise<Running & { readonly origin: string }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    command: process.execPath,
    args: [script("./fake-upstream.ts"), String(port)],
    readyUrl: `${origin}/healthz`,
  });
  return { ...running, origin };
}
