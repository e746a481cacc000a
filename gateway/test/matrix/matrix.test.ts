import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import { LOSSES } from "./losses.ts";
import { observedLosses } from "./observed.ts";
import { cellKey, renderReport, verdict, type CellPair } from "./report.ts";
import { runCell } from "./run-cell.ts";
import { INGRESSES, UPSTREAMS } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";
import { GROUPS } from "./scenarios.ts";

let gateway: TestGateway;
const findings = new Map<string, CellPair>();

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Fills a scenario's cells; gives what is wrong in those that tell of no loss. */
async function runScenario(scenario: Scenario): Promise<string[]> {
  const silent: string[] = [];
  for (const ingress of INGRESSES) {
    for (const upstream of UPSTREAMS) {
      const cell = { scenario, ingress, upstream };
      const whole = await runCell(gateway, { ...cell, stream: false });
      const streamed = await runCell(gateway, { ...cell, stream: true });
      findings.set(cellKey(scenario, ingress, upstream), { whole, streamed });
      for (const [name, result] of Object.entries({ whole, streamed })) {
        if (verdict(result) !== "fault") continue;
        silent.push(`${ingress} → ${upstream}, ${name}: ${result.faults.join("; ")}`);
      }
    }
  }
  return silent;
}

describe.each(GROUPS)("protocol matrix: $title", ({ scenarios }) => {
  test.each(scenarios)("$title", async (scenario) => {
    expect(await runScenario(scenario)).toEqual([]);
    expect(observedLosses(scenario, findings)).toEqual(LOSSES[scenario.id] ?? []);
  });
});

describe("docs/conformance.md", () => {
  test("is what the cells say", async () => {
    await expect(renderReport(GROUPS, findings)).toMatchFileSnapshot(
      "../../../docs/conformance.md",
    );
  });

  test("every declared loss is of a scenario", () => {
    const ids = new Set(GROUPS.flatMap(({ scenarios }) => scenarios.map(({ id }) => id)));
    expect(Object.keys(LOSSES).filter((id) => !ids.has(id))).toEqual([]);
  });
});
