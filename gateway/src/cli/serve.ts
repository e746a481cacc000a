import { defineCommand } from "citty";

import type { App } from "#app.ts";
import { CliError, dataFolder, ownCommand, type CliIo } from "#cli/cli-io.ts";
import { configPlaces, readConfig } from "#cli/config-location.ts";
import { startupText } from "#cli/startup-text.ts";
import { isLoopback } from "#lib/is-loopback.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8402;

/** Two signals within this are one: Ctrl-C reaches the process itself and once more through npm. */
const SAME_SIGNAL_MS = 500;

interface ServeArgs {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly config?: string | undefined;
}

/** `turnpike serve`: the gateway, until it is told to stop. */
export const serveCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "serve", description: "Start the gateway (the default)" },
    args: {
      host: { type: "string", description: "Address to listen on (TURNPIKE_HOST; 127.0.0.1)" },
      port: { type: "string", description: "Port to listen on (TURNPIKE_PORT; 8402)" },
      config: {
        type: "string",
        description: "Settings file (./turnpike.yaml, where there is one)",
      },
    },
    run: async ({ args }) => serve(io, args),
  });

async function serve(io: CliIo, args: ServeArgs): Promise<number> {
  const parent = process.ppid;
  const places = configPlaces(io, args.config);
  const config = await readConfig(io, args.config);
  const host = args.host ?? (io.env["TURNPIKE_HOST"] || config?.server.host) ?? DEFAULT_HOST;
  const port =
    readPort(args.port ?? io.env["TURNPIKE_PORT"]) ?? config?.server.port ?? DEFAULT_PORT;
  const app = await start(io, { host, port, places });
  const command = ownCommand(io);
  io.out(startupText({ url: app.url, startup: app.startup, command }));
  if (!isLoopback(host)) {
    io.err(
      `Warning: ${host} is reachable from other machines, without TLS. Whoever has a key can use it.`,
    );
  }
  await stopSignal(io, parent);
  await app.close();
  io.err("Stopped.");
  return 0;
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CliError(
    `"${text}" is not a port: a number from 1 to 65535 is needed (0: any free one).`,
  );
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly places: readonly string[];
}

async function start(io: CliIo, address: Address): Promise<App> {
  const { host, port, places } = address;
  try {
    // Here and not above: the other commands do not need a server.
    const { startApp } = await import("#app.ts");
    const home = dataFolder(io);
    const { env, err: onNotice } = io;
    return await startApp({ home, env, host, port, configPlaces: places, onNotice });
  } catch (error) {
    throw inWords(error, address);
  }
}

function inWords(error: unknown, { host, port }: Address): unknown {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new CliError(
      `port ${port} on ${host} is in use, perhaps by another Turnpike. Stop that one, or choose another port: TURNPIKE_PORT=${port + 1}`,
    );
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new CliError(`${host} is not an address of this machine. Set TURNPIKE_HOST to one.`);
  }
  if (code === "EACCES") return new CliError(`this is not permitted: ${message}`);
  return error;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(io: CliIo, parent: number): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (): void => {
      if (first === undefined) {
        first = io.now();
        io.err("Stopping: answers that are being given may finish. Once more stops at once.");
        resolve();
      } else if (io.now() - first > SAME_SIGNAL_MS) process.exit(1);
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    if (io.env["npm_lifecycle_event"] !== undefined) whenOrphaned(parent, onSignal);
  });
}

const ORPHAN_CHECK_MS = 500;

/**
 * `npm start` puts a shell in between, which dies of a signal without passing it on: the gateway
 * would stay behind and hold its port. Seen with npm 11 and Debian's dash.
 */
function whenOrphaned(parent: number, stop: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, ORPHAN_CHECK_MS);
  timer.unref();
}
