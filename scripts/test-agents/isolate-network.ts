import { spawnSync } from "node:child_process";

/** Set in the process that runs without a network. */
const ISOLATED = "TURNPIKE_AGENTS_ISOLATED";

const unshare = (command: readonly string[]): readonly string[] => [
  "--map-root-user",
  "--net",
  "sh",
  "-c",
  'ip link set lo up && exec "$@"',
  "sh",
  ...command,
];

/**
 * Runs this program again where there is nothing but a loopback, and gives its exit code: agents
 * report home, look for updates and fetch lists of models, and none of that belongs into a test.
 * `undefined`: this is that process already, or the machine does not allow it.
 */
export function runIsolated(): number | undefined {
  if (process.env[ISOLATED] !== undefined) return undefined;
  if (spawnSync("unshare", unshare(["true"]), { stdio: "ignore" }).status !== 0) {
    console.log("The network cannot be cut off here; the agents are only asked not to use it.");
    return undefined;
  }
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", unshare(again), {
    stdio: "inherit",
    env: { ...process.env, [ISOLATED]: "1" },
  });
  return status ?? 1;
}
