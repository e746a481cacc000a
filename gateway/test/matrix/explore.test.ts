import { writeFileSync } from "node:fs";
import { test } from "vitest";
import { startGateway } from "#test/start-gateway.ts";
import { INGRESSES, UPSTREAMS } from "./scenario.ts";
import { GROUPS } from "./scenarios.ts";
import { runCell } from "./run-cell.ts";
import { observedLosses } from "./observed.ts";
import { cellKey, verdict, type CellPair } from "./report.ts";
test("explore", async () => {
  const gw = await startGateway();
  const out: unknown[] = [];
  const losses: Record<string, unknown> = {};
  const f = new Map<string, CellPair>();
  for (const group of GROUPS)
    for (const scenario of group.scenarios) {
      for (const ingress of INGRESSES)
        for (const upstream of UPSTREAMS) {
          const pair: any = {};
          for (const stream of [false, true]) {
            let r: any;
            try {
              r = await runCell(gw, { scenario, ingress, upstream, stream });
            } catch (e) {
              r = { faults: ["threw " + String(e)], warnings: [] };
            }
            pair[stream ? "streamed" : "whole"] = r;
            out.push({ s: scenario.id, i: ingress, u: upstream, st: stream, ...r });
          }
          f.set(cellKey(scenario, ingress, upstream), pair);
        }
      const o = observedLosses(scenario, f);
      if (o.length) losses[scenario.id] = o;
    }
  writeFileSync("/tmp/matrix.json", JSON.stringify(out, null, 0));
  writeFileSync("/tmp/losses.json", JSON.stringify(losses, null, 1));
  await gw.close();
}, 300000);
