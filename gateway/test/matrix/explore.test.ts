import { writeFileSync } from "node:fs";
import { test } from "vitest";
import { startGateway } from "#test/start-gateway.ts";
import { INGRESSES, UPSTREAMS } from "./scenario.ts";
import { GROUPS } from "./scenarios.ts";
import { runCell } from "./run-cell.ts";
test("explore", async () => {
  const t0 = Date.now();
  const gw = await startGateway();
  const out: unknown[] = [];
  for (const group of GROUPS)
    for (const scenario of group.scenarios)
      for (const ingress of INGRESSES)
        for (const upstream of UPSTREAMS)
          for (const stream of [false, true]) {
            let r;
            try {
              r = await runCell(gw, { scenario, ingress, upstream, stream });
            } catch (e) {
              r = { faults: ["threw " + String(e)], warnings: [] };
            }
            out.push({ s: scenario.id, i: ingress, u: upstream, st: stream, ...r });
          }
  writeFileSync("/tmp/matrix.json", JSON.stringify(out, null, 0));
  console.log(out.length, Date.now() - t0);
  await gw.close();
}, 300000);
