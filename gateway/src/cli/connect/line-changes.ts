import type { FileChange } from "./change-files.ts";

const textOf = (bytes: Buffer | undefined): readonly string[] =>
  bytes === undefined ? [] : bytes.toString("utf8").split("\n");

/** The lines that differ, `-` before and `+` after; what begins and ends alike is left out. */
export function lineChanges({ before, after }: Pick<FileChange, "before" | "after">): string {
  const old = textOf(before);
  const fresh = textOf(after);
  const shorter = Math.min(old.length, fresh.length);
  let start = 0;
  while (start < shorter && old[start] === fresh[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === fresh.at(-1 - end)) end += 1;
  const middle = fresh.slice(start, fresh.length - end);
  const gone = old.slice(start, old.length - end).filter((line) => !middle.includes(line));
  const kept = new Set(old.slice(start, old.length - end));
  return [
    ...gone.map((line) => `  - ${line}`),
    ...middle.map((line) => `  ${kept.has(line) ? " " : "+"} ${line}`),
  ].join("\n");
}
