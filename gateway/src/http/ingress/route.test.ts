import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { asObject, asObjects, type JsonObject } from "#lib/json.ts";
import { leastMs } from "#test/pace.ts";
import { createTestCli } from "#test/cli.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const TEXT = "Write a function that reverses a linked list of zebrafish.";
const CHAT = { model: "auto", messages: [{ role: "user", content: TEXT }] };

const route = async (body: JsonObject, headers?: Record<string, string>) => {
  const response = await gateway.post("/v1/route", body, headers);
  return { status: response.status, body: asObject(await response.json()) };
};

describe("POST /v1/route", () => {
  test("gives the plan without a call and without the text", async () => {
    const { status, body } = await route(CHAT);
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: "route", model: "auto", class: "code-writing" });
    const [first] = asObjects(body["candidates"]);
    expect(first).toMatchObject({ place: 1, state: "healthy" });
    expect(first?.["cost_usd"]).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toMatch(/zebrafish/);
    expect(gateway.upstream.requests).toEqual([]);
  });

  test("takes the body of every dialect, told by its shape or its name", async () => {
    const bodies: readonly JsonObject[] = [
      { model: "auto", input: TEXT },
      { model: "auto", max_tokens: 9, system: "Be brief.", messages: CHAT.messages },
      { model: "auto", contents: [{ role: "user", parts: [{ text: TEXT }] }] },
      { model: "auto", prompt: TEXT },
      { ...CHAT, max_tokens: 9, protocol: "anthropic-messages" },
    ];
    for (const one of bodies) {
      const { status, body } = await route(one);
      expect([status, body["class"]]).toEqual([200, "code-writing"]);
    }
  });

  test("plans as the same request would be: preferences, named models, what auto would save", async () => {
    const { body } = await route({
      ...CHAT,
      model: "gpt-4o",
      provider: { sort: "price", only: ["openai"] },
    });
    expect(asObjects(body["candidates"]).map(({ provider }) => provider)).toEqual(["openai"]);
    expect(asObjects(body["rejected"]).length).toBeGreaterThan(0);
    expect(body["auto"]).toMatchObject({ reason: expect.any(String) as string });
    expect(body["saving_percent"]).toEqual(expect.any(Number));
  });

  describe("under a policy's maxRequestUsd", () => {
    const ask = { ...CHAT, model: "openai/gpt-4o", models: ["openai/gpt-4o-mini"] };
    const setPolicy = async (policy: JsonObject): Promise<void> => {
      const cli = createTestCli({ TURNPIKE_HOME: gateway.home });
      writeFileSync(join(cli.folder, "policy.json"), JSON.stringify(policy));
      await cli.run("policies", "set", "proj_default", "-f", "policy.json");
      cli.remove();
      const wanted = policy["maxRequestUsd"];
      const isThere = async (): Promise<boolean> => {
        const text = await (await gateway.get("/v1/key")).text();
        return /"max_request_usd":"([^"]*)"/.exec(text)?.[1] === wanted;
      };
      await vi.waitUntil(isThere, { timeout: 20_000, interval: 100 });
    };
    const routed = async (maxRequestUsd: string, more: JsonObject = {}) => {
      await setPolicy({ maxRequestUsd });
      return route({ ...ask, ...more });
    };
    afterAll(() => setPolicy({}));
    const endpoints = (list: unknown): readonly unknown[] =>
      asObjects(list).map(({ model, endpoint }) => model ?? String(endpoint).split("@")[0]);

    test("a route that would be left out is shown as such, with the level", async () => {
      // 10 USD a million output tokens, and 0.6: the first may write 2,000 for it, if it is short.
      const small = { models: ["openai/gpt-4o"], model: "openai/gpt-4o-mini", max_tokens: 10_000 };
      const { body } = await routed("0.02", small);
      expect(endpoints(body["candidates"])).toEqual(["gpt-4o-mini"]);
      expect(body["output_cut_to"]).toBeUndefined();
      expect(asObjects(body["rejected"])[0]).toMatchObject({
        endpoint: expect.stringContaining("openai/gpt-4o@") as string,
        constraint: "policy",
        reason: expect.stringMatching(
          /^its worst case is dearer than .*project.* allows \(maxRequestUsd 0\.02\)$/,
        ) as string,
        relax: expect.stringContaining("less output") as string,
      });
    });

    test("an output that would be cut is shown, and what no route can do fails as the request", async () => {
      const { body } = await routed("0.03", { max_tokens: 10_000 });
      expect(endpoints(body["candidates"])).toEqual(["gpt-4o", "gpt-4o-mini"]);
      const cut = Number(body["output_cut_to"]);
      expect(cut).toBeGreaterThan(256);
      expect(cut).toBeLessThan(3_000);
      await gateway.post("/v1/chat/completions", { ...ask, max_tokens: 10_000 });
      expect(gateway.upstream.requests[0]?.text).toContain(`"max_completion_tokens":${cut}`);
      const alone = { models: undefined, max_tokens: 10_000 };
      const none = await routed("0.002", alone);
      const said = expect.stringMatching(/"code":"policy_denied"/) as string;
      expect([none.status, JSON.stringify(none.body)]).toEqual([403, said]);
      const asked = await gateway.post("/v1/chat/completions", { ...ask, ...alone });
      expect([asked.status, await asked.text()]).toEqual([403, said]);
    });
  });

  test("fails as the same request would", async () => {
    const asks: readonly (readonly [JsonObject, number, RegExp])[] = [
      [{ ...CHAT, model: "gpt-4oo" }, 404, /Did you mean gpt-4o/],
      [{ ...CHAT, provider: { only: ["openai"], ignore: ["openai"] } }, 400, /provider\.only/],
      [{ ...CHAT, protocol: "soap" }, 400, /protocol must be one of/],
      [{ ...CHAT, provider: { max_price: { prompt: 0 } } }, 503, /max_price/],
      [{ messages: CHAT.messages }, 400, /model/],
    ];
    for (const [ask, expected, message] of asks) {
      const { status, body } = await route(ask);
      expect([status, JSON.stringify(body)]).toEqual([expected, expect.stringMatching(message)]);
    }
    const none = await fetch(`${gateway.url}/v1/route`, { method: "POST", body: "{}" });
    expect(none.status).toBe(401);
  });

  test("a prompt of 100,000 words, binary rubbish and a thousand tools are answered at once", async () => {
    const tools = Array.from({ length: 1_000 }, (_, at) => ({
      type: "function",
      function: { name: `tool_${at}`, parameters: { type: "object", properties: {} } },
    }));
    const texts = ["word ".repeat(100_000), "\u0000\u0001\uFFFD\u{1F600}".repeat(5_000), ""];
    for (const content of texts) {
      const asked = { ...CHAT, messages: [{ role: "user", content }], tools };
      const took = leastMs(2_000, async () => {
        expect((await route(asked)).status).toBe(200);
      });
      expect(await took).toBeLessThan(2_000);
    }
  });
});
