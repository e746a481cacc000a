import { expect } from "vitest";

import type { StreamEvent } from "#canonical/stream-event.ts";

type BlockEvent = Extract<StreamEvent, { index: number }>;

/** `text` of `text-delta`: the kind of block that an event belongs to. */
const kindOf = (type: BlockEvent["type"]): string =>
  type === "citation" ? "text" : type.replace(/-(start|delta|end)$/, "");

/** What breaks the block discipline of a stream's events; empty when nothing does. */
export function streamFaults(events: readonly StreamEvent[]): string[] {
  const faults: string[] = [];
  const open = new Map<number, string>();
  const used = new Set<number>();
  const finished = new Set<number>();
  let responseStarts = 0;
  for (const [at, event] of events.entries()) {
    const where = `event ${at} (${event.type})`;
    if (event.type === "response-start") responseStarts++;
    if (event.type === "finish") {
      if (finished.has(event.candidate ?? 0)) faults.push(`${where}: second finish`);
      finished.add(event.candidate ?? 0);
    }
    if (event.type === "usage") faults.push(...usageFaults(event, where));
    if ("index" in event) faults.push(...blockFaults(event, { where, open, used }));
  }
  if (responseStarts > 1) faults.push(`${responseStarts} response-start events`);
  for (const [index, kind] of open) faults.push(`${kind} block ${index} never ends`);
  return faults;
}

interface Blocks {
  readonly where: string;
  readonly open: Map<number, string>;
  readonly used: Set<number>;
}

function blockFaults(event: BlockEvent, { where, open, used }: Blocks): string[] {
  const { index, type } = event;
  const kind = kindOf(type);
  if (type === "part" || type.endsWith("-start")) {
    const fault = used.has(index) ? [`${where}: index ${index} comes back`] : [];
    used.add(index);
    if (type !== "part") open.set(index, kind);
    return fault;
  }
  const opened = open.get(index);
  if (opened !== kind) return [`${where}: block ${index} is ${opened ?? "not open"}`];
  if (type.endsWith("-end")) open.delete(index);
  return [];
}

function usageFaults(event: Extract<StreamEvent, { type: "usage" }>, where: string): string[] {
  return Object.entries(event.usage).flatMap(([name, value]) => {
    if (typeof value !== "number" || name === "reportedCostUsd") return [];
    return Number.isSafeInteger(value) && value >= 0 ? [] : [`${where}: ${name} is ${value}`];
  });
}

/** Asserts the block discipline that `stream-event.ts` promises. */
export function wellFormed(events: readonly StreamEvent[]): void {
  expect(streamFaults(events)).toEqual([]);
}
