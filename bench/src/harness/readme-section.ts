import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const README = fileURLToPath(new URL("../../README.md", import.meta.url));

/** Puts text between the markers of a section of bench/README.md; throws where it has none. */
export function writeSection(name: string, body: string): void {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const text = readFileSync(README, "utf8");
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`${README} has no markers ${start} and ${end}`);
  const before = text.slice(0, from + start.length);
  writeFileSync(README, `${before}\n\n${body}\n\n${text.slice(to)}`);
}
