import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createKey } from "#governance/create-key.ts";
import { asObject, type JsonObject } from "#lib/json.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { revokeKeys } from "#store/keys.ts";
import { openStore } from "#store/store.ts";
import { bytes, json, sse, status, type Script } from "#test/fake-upstream.ts";
import { leastOf } from "#test/pace.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({
    timeouts: {
      heartbeatMs: 150,
      writeStallMs: 800,
      firstContentMs: 1_500,
      reasoningFirstContentMs: 1_500,
    },
  });
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.upstream.requests.length = 0;
});

const ASK = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };

/** At a provider that speaks Chat Completions only: other dialects are translated. */
const CHAT_ONLY = "groq/openai/gpt-oss-120b";

const completion = (
  content: string,
  usage: JsonObject = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
): JsonObject => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  usage,
});

const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, delta, finish_reason: finish }],
});

const usageChunk = {
  ...chunk({}),
  choices: [],
  usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
};
const happyStream = sse(
  chunk({ role: "assistant", content: "" }),
  chunk({ content: "Hi" }),
  chunk({}, "stop"),
  usageChunk,
  "[DONE]",
);

/** Sends the beginning of a stream and then does nothing or closes. */
const begin =
  (events: readonly unknown[], after: "hang" | "cut"): Script =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
    if (after === "cut") setTimeout(() => response.destroy(), 20);
  };

async function recordOf(response: Response): Promise<JsonObject> {
  const id = response.headers.get("x-request-id") ?? "";
  for (let tries = 0; tries < 50; tries++) {
    const found = await gateway.get(`/v1/generations/${id}`);
    if (found.status === 200) return asObject(asObject(await found.json())["data"]);
    await sleep(20);
  }
  throw new Error(`no record of ${id}`);
}

describe("a request of the provider's own protocol", () => {
  test("reaches the provider as the client wrote it, but for the model and the gateway's fields", async () => {
    gateway.upstream.answer(json(completion("Hi")));
    const body =
      '{"seed": 12345678901234567890, "model":"openai/gpt-4o-mini","tags":["a"],"messages":[{"role":"user","content":"\\ud83d h\\u00e9"}],"new_field":{"b":1,"a":[1.0]}}';
    const response = await gateway.post("/v1/chat/completions", body);
    expect(response.status).toBe(200);
    expect(gateway.upstream.requests[0]?.text).toBe(
      '{"seed": 12345678901234567890,"model":"gpt-4o-mini","messages":[{"role":"user","content":"\\ud83d h\\u00e9"}],"new_field":{"b":1,"a":[1.0]}}',
    );
  });

  test("tells cost and provider, and is on record", async () => {
    gateway.upstream.answer(json(completion("Hi")));
    const response = await gateway.post("/v1/chat/completions", {
      ...ASK,
      tags: ["x"],
      user: "u1",
    });
    // 1000 × 0.15 + 100 × 0.60 USD for a million tokens.
    expect(response.headers.get("x-turnpike-cost-usd")).toBe("0.00021");
    expect(response.headers.get("x-turnpike-provider")).toBe("openai");
    expect(asObject(asObject(await response.json())["usage"])["cost"]).toBe(0.00021);
    expect(await recordOf(response)).toMatchObject({
      model_asked: "openai/gpt-4o-mini",
      model: "gpt-4o-mini",
      provider: "openai",
      cost_usd: "0.00021",
      status: 200,
      finish_reason: "stop",
      user: "u1",
      tags: ["x"],
      usage: { input_tokens: 1000, output_tokens: 100 },
    });
  });

  test("streams frames unchanged and keeps the usage chunk that the client did not ask for", async () => {
    gateway.upstream.answer(happyStream);
    const response = await gateway.post("/v1/chat/completions", { ...ASK, stream: true });
    const text = await response.text();
    expect(text).toContain(`data: ${JSON.stringify(chunk({ content: "Hi" }))}\n\n`);
    expect(text).not.toContain('"usage"');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(asObject(gateway.upstream.requests[0]?.body["stream_options"])["include_usage"]).toBe(
      true,
    );
    expect(await recordOf(response)).toMatchObject({ cost_usd: "0.00021", usage_estimated: false });
  });

  test("puts the cost into the usage chunk that the client asked for", async () => {
    gateway.upstream.answer(happyStream);
    const response = await gateway.post("/v1/chat/completions", {
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(await response.text()).toContain('"usage":{"cost":0.00021,"prompt_tokens":1000');
  });
});

describe("failover", () => {
  const withFallback = { ...ASK, models: [CHAT_ONLY] };

  test("goes unnoticed before content, whatever the first provider does", async () => {
    const faults: Script[] = [
      status(503, { error: { message: "down" } }),
      status(429, { error: { message: "slow down" } }),
      status(401, { error: { message: "bad key sk-abcdefghijklmnopqrstuvwx" } }),
      bytes("<html>Bad gateway</html>", { type: "text/html", status: 502 }),
      bytes("", { type: "application/json" }),
      bytes('{"id":"chatcmpl-1","choi', { type: "application/json" }),
      (_request, response) => void response.destroy(),
    ];
    for (const fault of faults) {
      gateway.upstream.answer(fault, json(completion("from the second")));
      const response = await gateway.post("/v1/chat/completions", withFallback);
      expect(response.status).toBe(200);
      expect(response.headers.get("x-turnpike-provider")).toBe("groq");
      expect(response.headers.get("x-turnpike-attempts")).toBe("2");
    }
  });

  test("works in streams up to the first content", async () => {
    const faults: Script[] = [
      begin([chunk({ role: "assistant", content: "" })], "cut"),
      begin([chunk({ role: "assistant", content: "" })], "hang"),
      sse({ error: { message: "overloaded", type: "server_error" } }),
      bytes("data: [DONE]\n\n"),
    ];
    for (const fault of faults) {
      gateway.upstream.answer(fault, happyStream);
      const response = await gateway.post("/v1/chat/completions", {
        ...withFallback,
        stream: true,
      });
      expect(await response.text()).toContain('"content":"Hi"');
    }
  });

  test("does not repeat what is the caller's fault", async () => {
    gateway.upstream.answer(
      status(400, {
        error: {
          message: "temperature must be ≤ 2",
          type: "invalid_request_error",
          param: "temperature",
        },
      }),
    );
    const response = await gateway.post("/v1/chat/completions", withFallback);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain("temperature must be");
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("a stream that breaks after content ends with an error of the dialect and no success terminator", async () => {
    const cut = begin([chunk({ content: "Hel" })], "cut");
    gateway.upstream.answer(cut);
    const chat = await (
      await gateway.post("/v1/chat/completions", { ...ASK, stream: true })
    ).text();
    expect(chat).toContain('"finish_reason":"error"');
    expect(chat).not.toContain("[DONE]");
    gateway.upstream.answer(cut);
    const messages = await (
      await gateway.post("/v1/messages", { ...ASK, max_tokens: 9, stream: true })
    ).text();
    expect(messages).toContain("event: error");
    expect(messages).not.toContain("message_stop");
    gateway.upstream.answer(cut);
    const responses = await gateway.post("/v1/responses", {
      model: CHAT_ONLY,
      input: "x",
      stream: true,
    });
    expect(await responses.text()).toContain("response.failed");
    expect(await recordOf(responses)).toMatchObject({
      failure: "upstream_truncated",
      finish_reason: "error",
    });
  });
});

describe("streams", () => {
  test("beat before content, so that no proxy in between gives up", async () => {
    gateway.upstream.answer(async (_request, response) => {
      await sleep(400);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        `data: ${JSON.stringify(chunk({ content: "late" }))}\n\ndata: ${JSON.stringify(chunk({}, "stop"))}\n\ndata: [DONE]\n\n`,
      );
    });
    const text = await (
      await gateway.post("/v1/chat/completions", { ...ASK, stream: true })
    ).text();
    expect(text.startsWith(": keepalive\n\n")).toBe(true);
    expect(text).toContain("late");
  });

  test("a client that leaves aborts the provider within 100 ms and is billed for what it got", async () => {
    gateway.upstream.answer(begin([chunk({ content: "one" }), chunk({ content: " two" })], "hang"));
    const leave = async (): Promise<number> => {
      const abort = new AbortController();
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}` },
        body: JSON.stringify({ ...ASK, stream: true }),
        signal: abort.signal,
      });
      await response.body?.getReader().read();
      const before = gateway.upstream.aborted();
      const left = performance.now();
      abort.abort();
      await expect.poll(() => gateway.upstream.aborted(), { interval: 2 }).toBe(before + 1);
      const tookMs = performance.now() - left;
      const record = await recordOf(response);
      expect(record).toMatchObject({ failure: "client_closed", usage_estimated: true });
      expect(Number(record["cost_nano_usd"])).toBeGreaterThan(0);
      return tookMs;
    };
    expect(await leastOf(100, leave)).toBeLessThan(100);
  });

  test("a client that stops reading is cut, and others are not hurt", async () => {
    const big = "x".repeat(64 * 1024);
    gateway.upstream.answer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(
        () => response.write(`data: ${JSON.stringify(chunk({ content: big }))}\n\n`),
        1,
      );
      response.on("close", () => clearInterval(timer));
    });
    const before = gateway.upstream.aborted();
    const cut = new Promise<void>((resolve) => {
      const client = httpRequest(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}` },
      });
      client.on("response", (response) => {
        response.pause();
        client.socket?.pause();
        // Only reading shows a closed peer: look again after the stall limit.
        setTimeout(() => {
          response.resume();
          client.socket?.resume();
        }, 2_000);
        response.on("close", resolve);
        response.on("error", () => resolve());
      });
      client.on("error", () => resolve());
      client.end(JSON.stringify({ ...ASK, stream: true }));
    });
    await sleep(300);
    gateway.upstream.answer(json(completion("fine")));
    expect((await gateway.post("/v1/chat/completions", ASK)).status).toBe(200);
    await cut;
    expect(gateway.upstream.aborted()).toBeGreaterThan(before);
  });
});

describe("what a request asks of the gateway", () => {
  const options = { provider: { require_parameters: true }, tags: ["a"], models: [], route: {} };

  test("is no part of it in another dialect: no loss, and nothing to refuse", async () => {
    gateway.upstream.answer(json(completion("ok")));
    const asks: readonly (readonly [string, JsonObject])[] = [
      ["/v1/messages", { ...ASK, max_tokens: 9 }],
      ["/v1/responses", { input: "x" }],
      [
        "/v1beta/models/groq/openai/gpt-oss-120b:generateContent",
        { contents: [{ parts: [{ text: "x" }] }] },
      ],
    ];
    for (const [path, body] of asks) {
      const response = await gateway.post(path, { ...body, model: CHAT_ONLY, ...options });
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get("x-turnpike-warnings")).toBeNull();
    }
  });

  test("is refused where it has a slip, for it may be a restriction", async () => {
    const response = await gateway.post("/v1/chat/completions", {
      ...ASK,
      provider: { onyl: ["openai"] },
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toMatch(/provider\.onyl.*only/);
  });

  test("a provider without a key is named with the variable that would hold it", async () => {
    const body = { ...ASK, model: "auto", provider: { only: ["mistral"] } };
    const response = await gateway.post("/v1/chat/completions", body);
    expect(response.status).toBe(503);
    expect(JSON.stringify(await response.json())).toMatch(/mistral \(MISTRAL_API_KEY\)/);
  });

  test("a provider that nobody knows is a 400 with names like it", async () => {
    const body = { ...ASK, model: "auto", provider: { only: ["mistrall"] } };
    const response = await gateway.post("/v1/chat/completions", body);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toMatch(/provider\.only.*"mistrall.*mistral/);
  });

  test("a model for something else is a 400 that says so", async () => {
    for (const model of ["openai/text-embedding-3-small", "demo/embed"]) {
      const response = await gateway.post("/v1/chat/completions", { ...ASK, model });
      expect(response.status).toBe(400);
      expect(JSON.stringify(await response.json())).toMatch(/an embedding model.*a chat model/);
    }
    expect((await gateway.post("/v1/embeddings", { model: "auto", input: "x" })).status).toBe(400);
  });

  test("a name that the demo does not have is a 404 with near names", async () => {
    const response = await gateway.post("/v1/chat/completions", { ...ASK, model: "demo/eco" });
    expect(response.status).toBe(404);
    expect(JSON.stringify(await response.json())).toMatch(/demo\/echo/);
  });
});

describe("auto", () => {
  test.each(["auto", "auto:cheap", "auto:best", "claude-auto"])(
    "%s asks another provider each time, and models for general use only",
    async (model) => {
      gateway.upstream.answer(status(503, {}));
      const response = await gateway.post("/v1/chat/completions", { ...ASK, model });
      const { attempts } = (await recordOf(response)) as { attempts: JsonObject[] };
      expect(response.headers.get("x-turnpike-attempts")).toBe(String(attempts.length));
      // What is called again later was called before.
      expect(new Set(attempts.slice(0, 3).map(({ provider }) => provider)).size).toBe(3);
      const names = attempts.map((attempt) => String(attempt["model"])).join(" ");
      expect(names).not.toMatch(/search|nightly|babbage|davinci|audio|realtime/);
    },
  );
});

describe("model lists", () => {
  test("have the shape that each client knows", async () => {
    const google = { "x-goog-api-key": gateway.key };
    const list = asObject(
      await (await fetch(`${gateway.url}/v1/models`, { headers: google })).json(),
    );
    expect(JSON.stringify(list["models"])).toContain('"name":"models/gpt-4o-mini"');
    const openai = asObject(await (await gateway.get("/v1/models")).json());
    expect(JSON.stringify(openai["data"])).toContain('"id":"gpt-4o-mini"');
  });
});

describe("token counts", () => {
  const count = (model: string): Promise<Response> =>
    gateway.post(
      "/v1/messages/count_tokens?beta=true",
      { ...ASK, model },
      { "anthropic-beta": "x-1" },
    );

  test("are the provider's own where it counts in the client's protocol", async () => {
    gateway.upstream.answer(json({ input_tokens: 4711 }));
    const response = await count("anthropic/claude-haiku-4-5");
    expect(await response.json()).toEqual({ input_tokens: 4711 });
    expect(gateway.upstream.requests[0]?.path).toBe("/anthropic/v1/messages/count_tokens");
    expect(gateway.upstream.requests[0]?.headers["anthropic-beta"]).toBe("x-1");
  });

  test("are estimated elsewhere, and where the provider does not answer, and say so", async () => {
    gateway.upstream.answer(status(500, {}));
    for (const model of [CHAT_ONLY, "anthropic/claude-haiku-4-5"]) {
      const response = await count(model);
      expect(asObject(await response.json())["input_tokens"]).toBeGreaterThan(1);
      expect(response.headers.get("x-turnpike-warnings")).toMatch(/estimated/);
    }
  });
});

describe("keys", () => {
  test("made and revoked by another process take effect within a second", async () => {
    const pepper = loadMasterKey(gateway.home, undefined).keyPepper;
    const other = await openStore({ home: gateway.home });
    const { key, stored } = await createKey(other.core, pepper, { name: "other", now: Date.now() });
    const ask = async (): Promise<number> =>
      (await fetch(`${gateway.url}/v1/key`, { headers: { "x-api-key": key } })).status;
    const within = async (status: number): Promise<void> => {
      const from = performance.now();
      while ((await ask()) !== status) {
        expect(performance.now() - from).toBeLessThan(1_000);
        await sleep(20);
      }
    };
    await within(200);
    expect(await revokeKeys(other.core, stored.id, Date.now())).toBe(1);
    await within(401);
    await other.close();
  });
});

describe("kept responses", () => {
  const ask = (body: JsonObject): Promise<Response> =>
    gateway.post("/v1/responses", { model: "openai/gpt-4o-mini", ...body });
  const answer: JsonObject = {
    id: "resp_up1",
    object: "response",
    status: "completed",
    model: "gpt-4o-mini",
    output: [
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Paris", annotations: [] }],
      },
    ],
    usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
  };

  test("go on from an earlier one, on any provider", async () => {
    gateway.upstream.answer(json(completion("Paris")));
    const first = asObject(
      await (await ask({ input: "Capital of France?", store: true, model: CHAT_ONLY })).json(),
    );
    gateway.upstream.answer(json(completion("About 2 million")));
    const second = await ask({
      input: "How many live there?",
      previous_response_id: first["id"],
      model: CHAT_ONLY,
    });
    expect(second.status).toBe(200);
    const sent = JSON.stringify(gateway.upstream.requests.at(-1)?.body);
    expect(sent).toContain("Capital of France?");
    expect(sent).toContain("Paris");
    expect(sent).toContain("How many live there?");
  });

  test("are read, listed and deleted by their key, at once", async () => {
    gateway.upstream.answer(json(completion("Paris")));
    const { id } = (await (await ask({ input: "Q?", store: true, model: CHAT_ONLY })).json()) as {
      id: string;
    };
    const read = await gateway.get(`/v1/responses/${id}`);
    expect(asObject(await read.json())["id"]).toBe(id);
    const items = asObject(await (await gateway.get(`/v1/responses/${id}/input_items`)).json());
    expect(JSON.stringify(items["data"])).toContain("Q?");
    const auth = { authorization: `Bearer ${gateway.key}` };
    const deleted = await fetch(`${gateway.url}/v1/responses/${id}`, {
      method: "DELETE",
      headers: auth,
    });
    expect(await deleted.json()).toMatchObject({ id, deleted: true });
    expect((await gateway.get(`/v1/responses/${id}`)).status).toBe(404);
  });

  test("are not kept unless asked, and the error says how", async () => {
    gateway.upstream.answer(json(answer));
    await ask({ input: "Q?" });
    const response = await ask({ input: "more", previous_response_id: "resp_up1" });
    expect(response.status).toBe(404);
    expect(JSON.stringify(await response.json())).toContain('\\"store\\": true');
  });
});
