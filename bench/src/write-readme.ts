import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Machine } from "./harness/machine.ts";
import { figureRows, renderTable, type PartResult } from "./harness/report.ts";
import { writeSection } from "./harness/readme-section.ts";

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** Where each part leaves its latest result. */
export const RESULTS = join(BENCH, "results");

interface Report extends PartResult {
  readonly part: string;
  readonly machine: Machine;
}

/** Puts the latest result of every part between the markers of bench/README.md. */
export function writeReadme(parts: readonly string[]): void {
  const reports = parts.map(readReport).filter((report) => report !== undefined);
  writeSection("figures", render(reports));
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
