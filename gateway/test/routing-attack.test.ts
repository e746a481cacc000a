// Failing today. Copy to gateway/test/ and run: npx vitest run gateway/test/routing-attacks.test.ts
import { afterEach, describe, expect, test } from "vitest";

import { status } from "#test/fake-upstream.ts";
import { leastMs } from "#test/pace.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
afterEach(() => gateway.close());

const start = async (): Promise<void> => {
  gateway = await startGateway({ health: {} });
};
const ask = (model: string, more: object = {}, headers: Record<string, string> = {}) =>
  gateway.post(
    "/v1/chat/completions",
    { model, messages: [{ role: "user", content: "hi" }], ...more },
    headers,
  );
const ok = status(200, {
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

describe("what a provider echoes of a request", () => {
  test.each([
    [
      "openai/gpt-4o-mini",
      {
        error: {
          message: "Unrecognized request argument supplied: insufficient_quota",
          type: "invalid_request_error",
          param: null,
          code: null,
        },
      },
    ],
    [
      "groq/llama-3.3-70b-versatile",
      {
        error: {
          message: "property 'insufficient_quota' is unsupported",
          type: "invalid_request_error",
        },
      },
    ],
  ])("does not shut the key of %s for everybody", async (model, refusal) => {
    await start();
    gateway.upstream.answer(status(400, refusal));
    const refused = await ask(model, { insufficient_quota: 1 });
    gateway.upstream.answer(ok);
    const victim = await ask(model);
    expect([refused.status, victim.status]).toEqual([400, 200]);
  });

  test("does not shut Anthropic's key for an unknown field or model name", async () => {
    await start();
    gateway.upstream.answer(
      status(404, {
        type: "error",
        error: { type: "not_found_error", message: "model: incorrect api key" },
      }),
    );
    await ask("anthropic/incorrect api key");
    const response = await gateway.get("/api/health/endpoints");
    const { data } = (await response.json()) as { data: { credentialState: { status: string } }[] };
    expect(data.map((endpoint) => endpoint.credentialState.status)).toEqual(["alive"]);
  });

  test("a 403 about one model does not shut the key for other models", async () => {
    await start();
    gateway.upstream.answer(
      status(403, {
        error: {
          message: "The model `x` is blocked at the project level.",
          type: "permissions_error",
          code: "model_permission_blocked_project",
        },
      }),
    );
    await ask("groq/x");
    gateway.upstream.answer(ok);
    expect((await ask("groq/llama-3.3-70b-versatile")).status).toBe(200);
  });
});

describe("names of models without end", () => {
  test("are refused before they fill memory, metrics and response headers", async () => {
    await start();
    gateway.upstream.answer(status(404, { error: { message: "no", code: "model_not_found" } }));
    await ask(`openai/${"z".repeat(1_000_000)}`);
    const metrics = await (await gateway.get("/metrics")).text();
    expect(metrics.length).toBeLessThan(100_000);
  });
});

describe("the check of tool calls", () => {
  test("takes no longer for a hostile schema", async () => {
    await start();
    const call = { id: "t", type: "function", function: { name: "f", arguments: '{"a":{}}' } };
    gateway.upstream.answer(
      status(200, {
        id: "c",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: null, tool_calls: [call] },
            finish_reason: "tool_calls",
          },
        ],
      }),
    );
    const parameters = {
      type: "object",
      properties: { a: { anyOf: Array.from({ length: 2_000 }, () => ({ $ref: "#/$defs/e" })) } },
      $defs: { e: { enum: Array.from({ length: 10_000 }, (_, i) => ({ i })) } },
    };
    const asked = { tools: [{ type: "function", function: { name: "f", parameters } }] };
    expect(await leastMs(500, () => ask("openai/gpt-4o-mini", asked))).toBeLessThan(500);
  }, 60_000);
});

describe("an impatient caller", () => {
  test("does not open a slow endpoint's breaker for the others", async () => {
    await start();
    gateway.upstream.answer(() => undefined);
    const hasty = { "x-turnpike-timeout-ms": "10500" };
    await Promise.all([1, 2, 3, 4, 5].map(() => ask("openai/gpt-4o-mini", {}, hasty)));
    gateway.upstream.answer(ok);
    expect((await ask("openai/gpt-4o-mini")).status).toBe(200);
  }, 30_000);
});

describe("bounds in headers", () => {
  test.each([
    ["x-turnpike-provider-ignore", `${"groq,".repeat(50)}openai`],
    ["x-turnpike-provider-only", ",,"],
    ["x-turnpike-region", ","],
  ])("%s is obeyed or refused, never cut", async (name, value) => {
    await start();
    gateway.upstream.answer(ok);
    expect((await ask("gpt-4o-mini", {}, { [name]: value })).status).not.toBe(200);
  });
});

describe("a provider's absurd hints", () => {
  test.each([
    { "retry-after": "31536000" },
    {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 5),
    },
  ])("%o do not keep the last endpoint away for a day", async (headers) => {
    await start();
    gateway.upstream.answer(status(429, { error: { message: "slow down" } }, headers));
    await ask("deepseek/deepseek-chat");
    const response = await gateway.get("/api/health/endpoints");
    const { data } = (await response.json()) as { data: { health: { retryInMs: number } }[] };
    expect(data[0]?.health.retryInMs).toBeLessThan(3_600_000);
  });
});
