import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

const SOURCE = new URL("../", import.meta.url);
const IS_PACKED = import.meta.url.endsWith(".js");
/** Our own modules; Node's are left as they are. */
const IMPORTS = /(?<=^(?:import|export)\b[^;"]*?\bfrom ")(#[^"]+\.ts)(?=";)/gm;

/**
 * The address under which a thread imports a module of ours. In a packed release it is JavaScript
 * already. From source its types, and those of all that it imports, are stripped here: a thread that
 * does so itself loads a compiler of its own, 22 MB that are never used again.
 */
export function threadModule(file: URL): URL {
  if (IS_PACKED) return new URL(file.href.replace(/\.ts$/, ".js"));
  const program = stripTypeScriptTypes(readFileSync(file, "utf8")).replaceAll(
    IMPORTS,
    (name: string) => threadModule(new URL(name.slice(1), SOURCE)).href,
  );
  return new URL(`data:text/javascript;base64,${Buffer.from(program).toString("base64")}`);
}
