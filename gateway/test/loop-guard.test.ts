import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { asObject } from "#lib/json.ts";
import type { Call } from "#pipeline/call.ts";
import { checkLoop, VIA_HEADER, viaHeaders } from "#pipeline/loop-guard.ts";
import { json, type ReceivedRequest, type Script } from "#test/fake-upstream.ts";
import { startGateway, TEST_KEY, type TestGateway } from "#test/start-gateway.ts";

const CHAT = {
  model: "openai/gpt-4o-mini",
  messages: [{ role: "user", content: "hello" }],
  provider: { only: ["openai"] },
};

/** A proxy in between, which keeps the headers of a request. */
const forwardTo =
  (url: string): Script =>
  async ({ path, headers, text }: ReceivedRequest, response) => {
    const via = headers[VIA_HEADER];
    const answer = await fetch(url + path, {
      method: "POST",
      headers: {
        authorization: headers.authorization ?? "",
        "content-type": "application/json",
        ...(typeof via === "string" && { [VIA_HEADER]: via }),
      },
      body: text,
    });
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(await answer.text());
  };

const looped = async (response: Response): Promise<void> => {
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([508, "false"]);
  const { code, message } = asObject(asObject(await response.json())["error"]);
  expect(code).toBe("loop_detected");
  expect(message).toMatch(/come back to a gateway that it went through already.*base URL/);
};

describe("a base URL that leads back", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { OPENAI_API_KEY: TEST_KEY } });
  });
  afterAll(() => gateway.close());
  beforeEach(() => {
    gateway.upstream.requests.length = 0;
  });
  let second: TestGateway | undefined;
  afterEach(async () => {
    await second?.close();
    second = undefined;
  });

  test("to the gateway itself is told at once, whatever key it sends itself", async () => {
    gateway.upstream.answer(forwardTo(gateway.url));
    await looped(await gateway.post("/v1/chat/completions", CHAT));
    expect(gateway.upstream.requests).toHaveLength(1);
    const via = String(gateway.upstream.requests[0]?.headers[VIA_HEADER]);
    expect(via).toMatch(/^[\w-]{22}$/);
    const stranger = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { [VIA_HEADER]: via, authorization: "Bearer sk-unknown" },
    });
    await looped(stranger);
  });

  test("over another gateway is told, too, and that one's id is in the way", async () => {
    second = await startGateway({
      env: { OPENAI_API_KEY: TEST_KEY, OPENAI_BASE_URL: `${gateway.url}/openai/v1` },
    });
    gateway.upstream.answer(forwardTo(second.url));
    await looped(await gateway.post("/v1/chat/completions", CHAT));
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("does not keep another provider from answering", async () => {
    const completion = {
      id: "x",
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    gateway.upstream.answer(forwardTo(gateway.url), json(completion));
    const { provider: _, ...body } = CHAT;
    const answer = await gateway.post("/v1/chat/completions", {
      ...body,
      models: ["groq/openai/gpt-oss-120b"],
      provider: { only: ["openai", "groq"] },
    });
    expect([answer.status, answer.headers.get("x-turnpike-provider")]).toEqual([200, "groq"]);
  });
});

describe("the way of a request", () => {
  const call = (via?: string): Call =>
    ({
      exchange: { headers: via === undefined ? {} : { [VIA_HEADER]: via } },
      gateway: { instanceId: "me" },
    }) as unknown as Call;

  test("is told to addresses that somebody has set, and to no provider's own", () => {
    expect(viaHeaders(call("a, b"), { privateAddressAllowed: false })).toEqual({});
    expect(viaHeaders(call("a, b,<script>"), { privateAddressAllowed: true })).toEqual({
      [VIA_HEADER]: "a, b, me",
    });
    const own = { organizationId: "org_1", credentialId: "cred_1", tier: 0 };
    const elsewhere = { ...own, isElsewhere: true };
    expect(viaHeaders(call(), { privateAddressAllowed: false, own: elsewhere })).toEqual({
      [VIA_HEADER]: "me",
    });
    const there = { ...own, isElsewhere: false };
    expect(viaHeaders(call(), { privateAddressAllowed: false, own: there })).toEqual({});
  });

  test("may be long, but not without end", () => {
    const hops = (count: number): string =>
      Array.from({ length: count }, (_, at) => `g${at}`).join();
    expect(() => checkLoop(call(hops(16)))).not.toThrow();
    expect(() => checkLoop(call(hops(17)))).toThrow(/more than 16 gateways/);
    expect(() => checkLoop(call("a, me, b"))).toThrow(/come back/);
  });
});
