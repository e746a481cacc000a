import { cellKey, verdict, type Findings } from "./report.ts";
import { INGRESSES, UPSTREAMS } from "./scenario.ts";
import type { Ingress, Scenario, Upstream } from "./scenario.ts";

/** What is lost of one scenario on its way to one protocol. */
export interface DeclaredLoss {
  readonly upstream: Upstream;
  /** The clients that it happens to. */
  readonly from: readonly Ingress[];
  /** `field: reason`, as the gateway tells it. */
  readonly warnings: readonly string[];
  /** The thing itself does not arrive; absent: it does, changed as the reason says. */
  readonly drops?: true;
  /** Absent: both. */
  readonly only?: "whole" | "streamed";
}

/** The losses of a scenario, in the form in which they are declared. */
export function observedLosses(scenario: Scenario, findings: Findings): DeclaredLoss[] {
  const found = new Map<string, DeclaredLoss & { from: Ingress[] }>();
  for (const upstream of UPSTREAMS) {
    for (const ingress of INGRESSES) {
      for (const loss of cellLosses(scenario, { ingress, upstream }, findings)) {
        const key = JSON.stringify(loss);
        const known = found.get(key);
        if (known === undefined) found.set(key, { ...loss, from: [ingress] });
        else known.from.push(ingress);
      }
    }
  }
  return [...found.values()];
}

type Loss = Omit<DeclaredLoss, "from">;

function cellLosses(
  scenario: Scenario,
  { ingress, upstream }: { readonly ingress: Ingress; readonly upstream: Upstream },
  findings: Findings,
): readonly Loss[] {
  const pair = findings.get(cellKey(scenario, ingress, upstream));
  if (pair === undefined) return [];
  const [whole, streamed] = [pair.whole, pair.streamed].map((result): Loss | undefined =>
    verdict(result) === "loss"
      ? {
          upstream,
          warnings: result.warnings,
          ...(result.faults.length > 0 && { drops: true }),
        }
      : undefined,
  );
  if (JSON.stringify(whole) === JSON.stringify(streamed)) return whole === undefined ? [] : [whole];
  return [
    ...(whole === undefined ? [] : [{ ...whole, only: "whole" as const }]),
    ...(streamed === undefined ? [] : [{ ...streamed, only: "streamed" as const }]),
  ];
}
