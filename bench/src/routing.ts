import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { loadRouterModel } from "../../gateway/src/routing/auto/load-router-model.ts";
import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable } from "./harness/report.ts";
import { writeSection } from "./harness/readme-section.ts";
import { adaptation, heldOutFamilies, sameFamilies, type Section } from "./routing/families.ts";
import { onlineLearning } from "./routing/feedback.ts";
import { costAtFixedQuality } from "./routing/pools.ts";
import { decisionTime } from "./routing/timing.ts";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

const model = loadRouterModel();
/** In the order in which they are run and shown. */
const SECTIONS: Readonly<Record<string, () => Section>> = {
  timing: () => decisionTime(model),
  feedback: () => onlineLearning(model),
  families: heldOutFamilies,
  hash: sameFamilies,
  adaptation,
  pools: costAtFixedQuality,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "write-readme": { type: "boolean", default: false } },
});

const unknown = positionals.find((name) => !(name in SECTIONS));
if (unknown !== undefined)
  throw new Error(`There is no part "${unknown}"; parts: ${Object.keys(SECTIONS).join(", ")}.`);

const fileOf = (name: string): string => join(RESULTS, `routing-${name}.json`);

const render = ({ title, note, rows, figures }: Section): string =>
  [`### ${title}`, note, renderTable(rows), renderTable(figureRows(figures))].join("\n\n");

mkdirSync(RESULTS, { recursive: true });
for (const [name, run] of Object.entries(SECTIONS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const section = run();
  console.log(`\n${render(section)}`);
  writeFileSync(fileOf(name), `${JSON.stringify(section, undefined, 2)}\n`);
}
if (values["write-readme"]) writeReadme();

/** Puts the latest result of every part between the markers of bench/README.md. */
function writeReadme(): void {
  const sections = Object.keys(SECTIONS)
    .filter((name) => existsSync(fileOf(name)))
    .map((name) => JSON.parse(readFileSync(fileOf(name), "utf8")) as Section);
  const { processor, cores, node, date } = describeMachine();
  const machine = `${processor}, ${cores} cores, Node ${node}, ${date.slice(0, 10)}`;
  const body = ["## Routing", machine, ...sections.map(render)].join("\n\n");
  writeSection("routing", body);
}
