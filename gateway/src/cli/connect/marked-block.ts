const BEGIN = "# >>> turnpike (made by `turnpike connect`, removed by --undo)";
const END = "# <<< turnpike";
const KEPT = "# turnpike set aside: ";

/** Lines between marks, for files whose comments begin with `#`. */
export const markedBlock = (lines: readonly string[]): readonly string[] => [BEGIN, ...lines, END];

/** A line that would contradict a block, as a comment. */
export const setAside = (line: string): string => KEPT + line;

/** The lines without blocks, and with what was set aside back in force. */
export function withoutBlocks(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let inside = false;
  for (const line of lines) {
    if (line === BEGIN) inside = true;
    if (!inside) kept.push(line.startsWith(KEPT) ? line.slice(KEPT.length) : line);
    if (line === END) inside = false;
  }
  return kept;
}

/** A text with a block of `NAME=value` lines at its end: later lines of a .env file win. */
export function withEnvBlock(text: string, values: Readonly<Record<string, string>>): string {
  const before = withoutBlocks(text === "" ? [] : text.replace(/\n$/, "").split("\n"));
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${[...before, ...markedBlock(lines)].join("\n")}\n`;
}
