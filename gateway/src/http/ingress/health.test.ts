import Fastify from "fastify";
import { expect, test } from "vitest";

import { addHealthRoutes } from "#http/ingress/health.ts";

test.each([
  ["org_default", true],
  ["org_other", false],
])("metrics of what all tenants do are told to %s: %s", async (id, isTold) => {
  const server = Fastify();
  addHealthRoutes(server, {
    keys: { authenticate: () => ({ organization: { id } }) as never },
    health: { snapshot: () => [] },
    credentials: { of: () => undefined },
    metrics: { text: () => "turnpike_requests_total 7\n" },
    contentCounts: () => ({ dropped: 3, waitingBytes: 4_096 }),
    directory: { version: () => 12, age: () => 250 },
  });
  const headers = { authorization: "Bearer sk-tp-x" };
  const { body } = await server.inject({ method: "GET", url: "/metrics", headers });
  const lines = body.split("\n");
  expect(lines.includes("turnpike_requests_total 7")).toBe(isTold);
  expect(lines.includes("turnpike_content_log_dropped_total 3")).toBe(isTold);
  expect(lines.includes("turnpike_content_log_waiting_bytes 4096")).toBe(isTold);
  expect(lines.includes("turnpike_directory_version 12")).toBe(isTold);
  expect(lines.includes("turnpike_directory_age_seconds 0.250")).toBe(isTold);
  await server.close();
});
