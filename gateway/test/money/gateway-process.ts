import { spawn, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";

import { providerEnvironment, TEST_KEY } from "#test/start-gateway.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

/** Every gateway of a database has the same one. */
export const PROCESS_MASTER_KEY = Buffer.alloc(32, 7).toString("base64");

/** A gateway in a process of its own, that can be killed. */
export interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
}

interface Options {
  readonly home: string;
  /** For `TURNPIKE_DATABASE_URL`; empty: SQLite. */
  readonly databaseUrl: string;
  /** Of the fake provider. */
  readonly origin: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `turnpike serve`; resolves when it listens. */
export async function startProcess(options: Options): Promise<GatewayProcess> {
  const { home, databaseUrl, origin } = options;
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TURNPIKE_HOME: home,
    TURNPIKE_KEY: TEST_KEY,
    TURNPIKE_PORT: "0",
    LOG_LEVEL: "fatal",
    TURNPIKE_MASTER_KEY: PROCESS_MASTER_KEY,
    ...(databaseUrl !== "" && { TURNPIKE_DATABASE_URL: databaseUrl }),
    ...providerEnvironment(origin),
    ...options.env,
  };
  const arguments_ = ["--disable-warning=ExperimentalWarning", MAIN, "serve"];
  const child = spawn(process.execPath, arguments_, { env, stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  const gone = new Promise<void>((end) => {
    child.once("exit", () => end());
  });
  const url = await new Promise<string>((found, fail) => {
    const listen = (data: Buffer): void => {
      told += data.toString();
      const at = /http:\/\/127\.0\.0\.1:\d+/.exec(told);
      if (at !== null) found(at[0]);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    void gone.then(() => fail(new Error(`the gateway ended: ${told.slice(-2_000)}`)));
  });
  return {
    url,
    child,
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
