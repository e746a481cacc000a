import { CliError, type CliIo } from "#cli/cli-io.ts";
import { isLoopback } from "#lib/is-loopback.ts";
import { buildNearNames } from "#catalog/near-names.ts";

import { TOOLS, type Tool } from "./tools.ts";

export const TOOL_NAMES: readonly string[] = Object.keys(TOOLS);

/** The tool of that name. @throws CliError with names near it */
export function findTool(name: string): Tool {
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  if (tool !== undefined) return tool;
  const near = buildNearNames(TOOL_NAMES)(name, 2);
  const hint =
    near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `It can be ${TOOL_NAMES.join(", ")}.`;
  throw new CliError(`there is no tool "${name}". ${hint}`);
}

/** The gateway's address without path or trailing slash: as given, else where `serve` listens. */
export function gateUrl({ env }: Pick<CliIo, "env">, named: string | undefined): string {
  const host = env["TURNPIKE_HOST"] || "127.0.0.1";
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const bracketed = reachable.includes(":") ? `[${reachable}]` : reachable;
  const text = named ?? `http://${bracketed}:${env["TURNPIKE_PORT"] || "8402"}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "") {
    throw new CliError(`"${text}" is not the address of a gateway, as http://127.0.0.1:8402 is.`);
  }
  return (url.origin + url.pathname).replace(/\/+(?:v1\/*)?$/, "");
}

export const isOwnMachine = (url: string): boolean => isLoopback(new URL(url).hostname);

/** Shorter is no key of a gateway, which wants as much of `TURNPIKE_KEY`. */
const SHORTEST_KEY = 32;

/** Keys end up in shell lines and settings files: nothing else than a key may pass. */
export function checkKey(key: string): string {
  if (!/^[\x21-\x7e]*$/.test(key) || /["'`$\\]/.test(key)) {
    throw new CliError("the key holds characters that no key has.");
  }
  if (key.length >= SHORTEST_KEY && key.length <= 500) return key;
  throw new CliError(
    `this is no key of a gateway: it has ${key.length} characters, and ${SHORTEST_KEY} is the least.`,
  );
}
