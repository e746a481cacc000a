import type { AlertEvent } from "@turnpike/contract/alerts.ts";
import { expect, test } from "vitest";

import { watchContentDrops } from "#alerts/content-drops.ts";

test("each organization is told of lost texts, under one name an hour, a minute apart at the least", () => {
  let clock = 3_600_000;
  const told: AlertEvent[] = [];
  const note = watchContentDrops(
    (event) => void told.push(event),
    () => clock,
  );
  const drop = (organizationId: string): void => note({ organizationId, requestId: "req_1" });
  for (let at = 0; at < 1_000; at += 1) drop("org_a");
  drop("org_b");
  expect(told).toMatchObject([
    { kind: "content.dropped", organizationId: "org_a", once: "1", facts: { request_id: "req_1" } },
    { organizationId: "org_b", once: "1" },
  ]);
  clock += 60_000;
  drop("org_a");
  clock += 3_600_000;
  drop("org_a");
  expect(told.slice(2).map(({ once }) => once)).toEqual(["1", "2"]);
});
