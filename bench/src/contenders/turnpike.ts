import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { messagesRequest } from "../harness/payloads.ts";
import { freePort, startProcess } from "../harness/processes.ts";
import { chatDoor, JSON_TYPE, type Contender, type Door } from "./contender.ts";

const MAIN =
  process.env["TURNPIKE_BENCH_MAIN"] ??
  fileURLToPath(new URL("../../../gateway/src/main.ts", import.meta.url));
const KEY = "bench-key-of-at-least-32-characters";

/** An Anthropic client whose model is OpenAI's: every byte is translated, both ways. */
const crossingDoor = (origin: string): Door => ({
  name: "turnpike crossing dialects",
  origin,
  path: "/v1/messages",
  headers: { ...JSON_TYPE, "x-api-key": KEY, "anthropic-version": "2023-06-01" },
  body: messagesRequest,
  streamEnd: '{"type":"message_stop"}\n\n',
});

/**
 * Starts the gateway as `npm start` does, with a fresh data folder, authentication, records and
 * metering. `TURNPIKE_BENCH_NODE_OPTIONS` adds options of Node, such as `--cpu-prof`;
 * `TURNPIKE_BENCH_MAIN` starts another build.
 */
export async function startTurnpike(upstream: string): Promise<Contender> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const home = mkdtempSync(join(tmpdir(), "turnpike-bench-"));
  const nodeOptions = (process.env["TURNPIKE_BENCH_NODE_OPTIONS"] ?? "").split(" ").filter(Boolean);
  const running = await startProcess({
    command: process.execPath,
    args: [...nodeOptions, MAIN],
    env: {
      TURNPIKE_HOME: home,
      TURNPIKE_PORT: String(port),
      TURNPIKE_KEY: KEY,
      OPENAI_API_KEY: "sk-bench",
      OPENAI_BASE_URL: `${upstream}/v1`,
    },
    readyUrl: `${origin}/healthz`,
  });
  return {
    pid: running.pid,
    stop: async () => {
      await running.stop();
      rmSync(home, { recursive: true, force: true });
    },
    doors: [chatDoor("turnpike", origin, { authorization: `Bearer ${KEY}` }), crossingDoor(origin)],
  };
}
