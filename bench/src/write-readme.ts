import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Machine } from "./harness/machine.ts";
import { figureRows, renderTable, type PartResult } from "./harness/report.ts";

const BENCH = fileURLToPath(new URL("..", import.meta.url));
const START = "<!-- figures:start -->";
const END = "<!-- figures:end -->";

/** Where each part leaves its latest result. */
export const RESULTS = join(BENCH, "results");

interface Report extends PartResult {
  readonly part: string;
  readonly machine: Machine;
}

/** Puts the latest result of every part between the markers of bench/README.md. */
export function writeReadme(parts: readonly string[]): void {
  const file = join(BENCH, "README.md");
  const text = readFileSync(file, "utf8");
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start === -1 || end === -1) throw new Error(`${file} has no markers ${START} and ${END}`);
  const reports = parts.map(readReport).filter((report) => report !== undefined);
  const written = `${text.slice(0, start + START.length)}\n\n${render(reports)}\n\n${text.slice(end)}`;
  writeFileSync(file, written);
}

function readReport(part: string): Report | undefined {
  const file = join(RESULTS, `${part}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
}

function render(reports: readonly Report[]): string {
  const figures = reports.flatMap((report) => figureRows(report.figures));
  const details = reports.map((report) => {
    const skipped = report.skipped.map((reason) => `\n\nSkipped: ${reason}`).join("");
    return `### ${report.part}\n\n${described(report.machine)}\n\n${renderTable(report.rows)}${skipped}`;
  });
  return [renderTable(figures), ...details].join("\n\n");
}

const described = ({ processor, cores, memoryGib, kernel, node, commit, date }: Machine): string =>
  `${processor}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, Node ${node}, commit ${commit}, ${date.slice(0, 10)}`;
