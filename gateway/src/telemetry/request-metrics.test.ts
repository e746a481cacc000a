import { expect, test } from "vitest";

import { createRequestMetrics } from "#telemetry/request-metrics.ts";
import { requestRecord } from "#test/request-record.ts";

test("requests, tokens and money are counted by provider, model and class of status", () => {
  const metrics = createRequestMetrics();
  const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 4 };
  metrics.note(requestRecord("a", { usage, costNanoUsd: 500_000_000n }));
  metrics.note(requestRecord("b", { usage, costNanoUsd: null, chargeNanoUsd: null }));
  metrics.note(requestRecord("c", { status: 502, failure: "upstream_error" as never }));
  const text = metrics.text();
  const labels = 'provider="demo",model="demo-echo",status="2xx"';
  expect(text).toContain(`turnpike_requests_total{${labels}} 2\n`);
  expect(text).toContain(`turnpike_tokens_total{${labels},kind="input"} 20\n`);
  expect(text).toContain(`turnpike_cost_usd_total{${labels}} 0.5\n`);
  expect(text).toMatch(/requests_failed_total\{[^}]*status="5xx"\} 1\n/);
});

test("models that callers make up have no series without end, and cannot break a line", () => {
  const metrics = createRequestMetrics();
  for (let at = 0; at < 2_000; at++) metrics.note(requestRecord("a", { modelUsed: `m"\n${at}` }));
  const lines = metrics.text().split("\n");
  expect(lines.length).toBeLessThan(501 * 7 + 20);
  expect(lines.every((line) => line === "" || /^(#|turnpike_\w+\{.*\} [\d.e-]+$)/.test(line))).toBe(
    true,
  );
  expect(metrics.text()).toMatch(/requests_total\{provider="\(other\)".*\} 1500\n/);
});
