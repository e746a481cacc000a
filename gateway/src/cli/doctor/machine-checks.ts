import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";

import { dataFolder, type CliIo } from "#cli/cli-io.ts";
import { configPlaces } from "#cli/config-location.ts";
import { asString, parseObject } from "#lib/json.ts";
import { openConfig } from "#market/market-config.ts";
import { readAll, type Send } from "#upstream/answer.ts";

import { fail, ok, warn, wordsOf, type Finding } from "./check.ts";

const LEAST_NODE = 24;
const LOW_SPACE_MB = 1024;
const NO_SPACE_MB = 100;

export function checkNode(version: string): Finding {
  const isNew = Number(version.split(".")[0]) >= LEAST_NODE;
  if (isNew) return ok("node", version);
  return fail("node", `${version}; Turnpike needs ${LEAST_NODE} or newer`);
}

/** Whether the data folder, or the folder it will be made in, can be written and has room. */
export function checkFolder(io: CliIo): Finding {
  const folder = dataFolder(io);
  const there = nearest(folder);
  try {
    if (!statSync(there).isDirectory()) return fail("data folder", `${there} is not a folder`);
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail("data folder", `${folder} cannot be written: ${wordsOf(error)}`);
  }
  const { bavail, bsize } = statfsSync(there);
  const freeMb = Math.floor((bavail * bsize) / 1024 ** 2);
  const text = `${folder}${there === folder ? "" : " (will be made)"}, ${freeMb} MB free`;
  if (freeMb < NO_SPACE_MB) return fail("data folder", text);
  return freeMb < LOW_SPACE_MB ? warn("data folder", text) : ok("data folder", text);
}

const nearest = (folder: string): string =>
  existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));

/** Whether the settings file, where there is one, can be used. */
export async function checkConfig(io: CliIo): Promise<Finding> {
  try {
    const opened = await openConfig(configPlaces(io), io.env);
    return ok("settings", opened?.file ?? "none, and none needed");
  } catch (error) {
    return fail("settings", wordsOf(error));
  }
}

const STALE_DAYS = 60;
const DAY_MS = 86_400_000;

export function checkCatalogue(asOf: string, now: number): Finding {
  const days = Math.max(0, Math.floor((now - Date.parse(asOf)) / DAY_MS));
  const text = `of ${asOf}, ${days} days old`;
  if (days <= STALE_DAYS) return ok("catalogue", text);
  return warn(
    "catalogue",
    `${text}: prices may have changed. A newer release brings newer ones; in a clone: npm run refresh-catalog -- --fetch`,
  );
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whether the gateway's port is free, or it is the gateway itself that answers there. */
export async function checkPort(send: Send, { host, port }: Address): Promise<Finding> {
  const code = await tryToListen(host, port);
  if (code === undefined) return ok("port", `${port} on ${host} is free`);
  if (code !== "EADDRINUSE") return fail("port", `cannot listen on ${host}:${port} (${code})`);
  const version = await gatewayVersion(send, { host, port });
  if (version !== undefined) return ok("port", `${port}: Turnpike ${version} is running`);
  return fail("port", `${port} is in use by another program; set TURNPIKE_PORT to another`);
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

const TIMEOUT_MS = 2_000;

async function gatewayVersion(send: Send, { host, port }: Address): Promise<string | undefined> {
  try {
    const answer = await send({
      method: "GET",
      url: gatewayHealthUrl({ host, port }),
      headers: {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: TIMEOUT_MS,
    });
    const body = parseObject((await readAll(answer, 10_000)).toString("utf8"));
    return body?.["status"] === "ok" ? asString(body["version"]) : undefined;
  } catch {
    return undefined;
  }
}

export function gatewayHealthUrl({ host, port }: Address): URL {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return new URL(
    `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}/healthz`,
  );
}
