import { connect } from "node:net";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { asObject, type JsonObject } from "#lib/json.ts";
import { bytes, json, sse, type Script } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({
    timeouts: {
      firstContentMs: 2_000,
      reasoningFirstContentMs: 2_000,
      headMs: 2_000,
      reasoningHeadMs: 2_000,
    },
  });
});
afterAll(() => gateway.close());

/** Ways in, with a body that is right but for what a case changes, and how each words its errors. */
const DIALECTS = [
  {
    path: "/v1/chat/completions",
    body: { messages: [{ role: "user", content: "x" }] },
    list: "messages",
  },
  {
    path: "/v1/messages",
    body: { max_tokens: 5, messages: [{ role: "user", content: "x" }] },
    list: "messages",
  },
  { path: "/v1/responses", body: { input: "x" }, list: "input" },
] as const;
const MODEL = "openai/gpt-4o-mini";
const responses = (more: JsonObject): JsonObject => ({ model: MODEL, input: "x", ...more });
const legacy = (more: JsonObject): JsonObject => ({ model: MODEL, prompt: "x", ...more });
const embed = { model: "openai/text-embedding-3-small", input: "x" };
const rerank = { model: "cohere/rerank-v3.5", query: "x", documents: ["x"] };

/** The error object, whose place differs by dialect; every dialect has a message in it. */
async function errorOf(response: Response): Promise<JsonObject> {
  const error = asObject(asObject(await response.json())["error"]);
  expect(typeof error["message"]).toBe("string");
  return error;
}

/** All that is answered to what is written on a socket, until the gateway closes it. */
const rawAnswer = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });

describe("a body that cannot be read is a 400 that says why", () => {
  const nested = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["nothing", "", /no body/],
    ["broken JSON", '{"model":', /not valid JSON/],
    ["an array", "[]", /must be a JSON object/],
    ["a text", '"hello"', /must be a JSON object/],
    ["10,000 levels", `{"model":"${MODEL}","messages":${nested}}`, /nested/],
    [
      "a key that stands twice",
      `{"model":"${MODEL}","model":"demo/echo","messages":[]}`,
      /stands twice/,
    ],
    ["a byte order mark", `\uFEFF{"model":"${MODEL}"}`, /not valid JSON/],
  ];
  test.each(cases)("%s", async (_name, body, reason) => {
    for (const { path } of DIALECTS) {
      const response = await gateway.post(path, body);
      expect(response.status).toBe(400);
      expect((await errorOf(response))["message"]).toMatch(reason);
    }
  });

  test("bytes that are not UTF-8", async () => {
    const body = Buffer.concat([
      Buffer.from('{"model":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const headers = { authorization: `Bearer ${gateway.key}` };
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers,
      body,
    });
    expect((await errorOf(response))["message"]).toMatch(/UTF-8/);
  });

  test("a compressed body is refused as such, and not as broken JSON", async () => {
    const body = gzipSync(JSON.stringify({ model: MODEL, ...DIALECTS[0].body }));
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-encoding": "gzip" },
      body,
    });
    expect(response.status).toBe(415);
    expect((await errorOf(response))["message"]).toContain("content-encoding: gzip");
  });

  test("33 MB are refused with 413 and the limit", async () => {
    const response = await gateway
      .post("/v1/chat/completions", `{"model":"${"x".repeat(33 * 1024 * 1024)}"}`)
      .catch(() => undefined);
    // The gateway may close the connection while the body is still being sent.
    if (response !== undefined) {
      expect(response.status).toBe(413);
      expect((await errorOf(response))["message"]).toMatch(/32\.0 MiB/);
    }
    expect((await gateway.get("/healthz")).status).toBe(200);
  });
});

describe("a wrong field is named", () => {
  test("wrong types and empty lists", async () => {
    for (const { path, body, list } of DIALECTS) {
      const wrong: readonly (readonly [JsonObject, RegExp])[] = [
        [{ ...body, model: 7 }, /model/],
        [{ ...body, model: undefined }, /model/],
        [{ ...body, model: MODEL, [list]: [] }, new RegExp(list)],
        [{ ...body, model: MODEL, [list]: { a: 1 } }, new RegExp(list)],
        [{ ...body, model: MODEL, [list]: [{ role: "wizard", content: "x" }] }, /role/],
        [{ ...body, model: MODEL, [list]: [7] }, new RegExp(list)],
        [{ ...body, model: MODEL, temperature: "hot" }, /temperature/],
        [{ ...body, model: MODEL, tools: "all" }, /tools/],
        [{ ...body, model: MODEL, stream: "yes" }, /stream/],
        [{ ...body, model: MODEL, models: [7] }, /models/],
        [{ ...body, model: MODEL, provider: { sort: "luck" } }, /provider\.sort/],
      ];
      for (const [sent, named] of wrong) {
        const response = await gateway.post(path, sent);
        expect([path, sent, response.status]).toEqual([path, sent, 400]);
        const error = await errorOf(response);
        expect(JSON.stringify([error["param"], error["message"]])).toMatch(named);
      }
    }
  });

  const chat = { model: MODEL, ...DIALECTS[0].body };
  const messages = { model: MODEL, ...DIALECTS[1].body };
  const generate = `/v1beta/models/${MODEL.replace("/", ":")}:generateContent`;
  const contents = [{ role: "user", parts: [{ text: "x" }] }];
  const config = (more: JsonObject): JsonObject => ({ contents, generationConfig: more });
  test.each<[string, string, (value: number) => JsonObject]>([
    ["/v1/chat/completions", "max_tokens", (value) => ({ ...chat, max_tokens: value })],
    [
      "/v1/chat/completions",
      "max_tokens",
      (value) => ({ ...chat, max_completion_tokens: 5, max_tokens: value }),
    ],
    [
      "/v1/chat/completions",
      "max_completion_tokens",
      (value) => ({ ...chat, max_completion_tokens: value }),
    ],
    ["/v1/chat/completions", "n", (value) => ({ ...chat, n: value })],
    ["/v1/chat/completions", "top_logprobs", (value) => ({ ...chat, top_logprobs: value })],
    [
      "/v1/chat/completions",
      "reasoning.max_tokens",
      (value) => ({ ...chat, reasoning: { max_tokens: value } }),
    ],
    ["/v1/responses", "max_output_tokens", (value) => responses({ max_output_tokens: value })],
    ["/v1/responses", "top_logprobs", (value) => responses({ top_logprobs: value })],
    ["/v1/messages", "max_tokens", (value) => ({ ...messages, max_tokens: value })],
    [
      "/v1/messages",
      "thinking.budget_tokens",
      (value) => ({ ...messages, thinking: { type: "enabled", budget_tokens: value } }),
    ],
    ["/v1/completions", "max_tokens", (value) => legacy({ max_tokens: value })],
    ["/v1/completions", "n", (value) => legacy({ n: value })],
    ["/v1/completions", "logprobs", (value) => legacy({ logprobs: value })],
    [generate, "generationConfig.maxOutputTokens", (value) => config({ maxOutputTokens: value })],
    [generate, "generationConfig.candidateCount", (value) => config({ candidateCount: value })],
    [
      generate,
      "generationConfig.thinkingConfig.thinkingBudget",
      (value) => config({ thinkingConfig: { thinkingBudget: value } }),
    ],
    ["/v1/embeddings", "dimensions", (value) => ({ ...embed, dimensions: value })],
    ["/v1/rerank", "top_n", (value) => ({ ...rerank, top_n: value })],
  ])("%s: what is no whole number in %s", async (path, field, bodyWith) => {
    for (const value of [1.5, -2, 2 ** 53, 1e300]) {
      const response = await gateway.post(path, bodyWith(value));
      expect([value, response.status]).toEqual([value, 400]);
      const { message } = await errorOf(response);
      expect(message).toContain(`${field} must be a whole number from `);
    }
  });

  test.each([
    ["/v1/chat/completions", { ...chat, seed: 0.5 }],
    ["/v1/chat/completions", { ...chat, top_k: 0.5 }],
    ["/v1/messages", { ...messages, top_k: 0.5 }],
    [generate, config({ seed: 0.5 })],
    ["/v1/completions", legacy({ seed: 0.5 })],
  ])("%s: half a seed, or half a top_k", async (path, body) => {
    const response = await gateway.post(path, body);
    expect(response.status).toBe(400);
    expect((await errorOf(response))["message"]).toMatch(/(?:seed|top_k) must be a whole number/);
  });

  test("an unknown model is a 404 with near names and no retry", async () => {
    for (const { path, body } of DIALECTS) {
      const response = await gateway.post(path, { ...body, model: "claude-sonet-4-5" });
      expect(response.status).toBe(404);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect((await errorOf(response))["message"]).toMatch(/claude-sonnet-4-5/);
    }
  });

  test("a model name cannot lead to another path of the provider", async () => {
    gateway.upstream.requests.length = 0;
    for (const model of [
      "google/../../admin",
      "google/x%2F..%2Fy",
      "google/a?b",
      "google/a#b",
      "bedrock/../x",
      "google/a b",
      "google/\\x",
    ]) {
      const response = await gateway.post("/v1/chat/completions", { ...DIALECTS[0].body, model });
      expect([model, response.status]).toEqual([model, 400]);
      expect((await errorOf(response))["message"]).toMatch(/model/i);
    }
    expect(gateway.upstream.requests).toEqual([]);
  });
});

describe("keys", () => {
  test("missing and wrong ones are 401 in the dialect, and are not echoed", async () => {
    for (const { path, body } of DIALECTS) {
      for (const headers of [
        {},
        { authorization: "Bearer sk-wrong-secret" },
        { "x-api-key": "' OR 1=1 --" },
      ]) {
        const response = await fetch(gateway.url + path, {
          method: "POST",
          headers,
          body: JSON.stringify({ ...body, model: MODEL }),
        });
        expect(response.status).toBe(401);
        expect(response.headers.get("x-should-retry")).toBe("false");
        const text = await response.text();
        expect(text).not.toMatch(/sk-wrong-secret|OR 1=1/);
      }
    }
  });

  test("a key in a path that does not exist is not written back", async () => {
    const response = await gateway.get(`/v1/nope/sk-tp-${"x1".repeat(24)}`);
    expect(response.status).toBe(404);
    const text = await response.text();
    expect(text).toContain("There is no GET /v1/nope/[masked]");
    expect(text).not.toContain("x1x1");
  });

  test.each([
    { header: `x-big: ${"x".repeat(20_000)}`, status: 431, words: /over 16 KiB/ },
    { header: "content-length: 4\r\ntransfer-encoding: chunked", status: 400, words: /HPE_/ },
    { header: "content-length: -1", status: 400, words: /HPE_/ },
  ])(
    "what is no request is refused in words: $status $words",
    async ({ header, status, words }) => {
      const answer = await rawAnswer(`POST /v1/messages HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      const { error } = JSON.parse(answer.split("\r\n\r\n")[1] ?? "") as { error: JsonObject };
      expect(error["message"]).toMatch(words);
      expect((await gateway.get("/healthz")).status).toBe(200);
    },
  );
});

describe("fields that nobody knows", () => {
  test("pass through in the provider's own protocol, and harm nothing elsewhere", async () => {
    const odd = '"__proto__":{"polluted":1},"constructor":{"x":1},"brand_new":{"deep":[1]}';
    gateway.upstream.answer(
      json({
        id: "x",
        object: "chat.completion",
        choices: [
          { index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" },
        ],
      }),
    );
    const response = await gateway.post(
      "/v1/chat/completions",
      `{"model":"${MODEL}","messages":[{"role":"user","content":"\\ud800"}],${odd}}`,
    );
    expect(response.status).toBe(200);
    expect(gateway.upstream.requests.at(-1)?.text).toContain(odd);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("what providers send", () => {
  const ask = (stream: boolean): Promise<Response> =>
    gateway.post("/v1/chat/completions", { ...DIALECTS[0].body, model: MODEL, stream });
  const answer = (usage: JsonObject): JsonObject => ({
    id: "x",
    object: "chat.completion",
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
    usage,
  });

  const faults: readonly (readonly [string, Script])[] = [
    ["HTML", bytes("<html><body>nginx</body></html>", { type: "text/html" })],
    ["broken JSON", bytes('{"id":"x","choices":[{', { type: "application/json" })],
    ["nothing", bytes("", { type: "application/json" })],
    ["another shape", json({ hello: "world" })],
    ["a list", json([])],
    [
      "a gzip bomb",
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        response.end(Buffer.from("1f8b0800", "hex"));
      },
    ],
    [
      "a redirect",
      (_request, response) => {
        response.writeHead(302, { location: "http://127.0.0.1:1/steal" });
        response.end();
      },
    ],
  ];
  test.each(faults)("%s is an error of the provider, not of the gateway", async (_name, fault) => {
    for (const stream of [false, true]) {
      gateway.upstream.answer(fault);
      const response = await ask(stream);
      expect(response.status).toBe(502);
      expect((await errorOf(response))["message"]).not.toMatch(/<html|127\.0\.0\.1:1/);
    }
  });

  test("usage of -1, 1e308 or text costs nothing wrong and breaks nothing", async () => {
    for (const count of [-1, 1e308, Number.MAX_SAFE_INTEGER * 2, "many", null, {}]) {
      gateway.upstream.answer(
        json(answer({ prompt_tokens: count, completion_tokens: count, total_tokens: count })),
      );
      const response = await ask(false);
      expect(response.status).toBe(200);
      const cost = response.headers.get("x-turnpike-cost-usd") ?? "";
      expect(cost === "unknown" || Number(cost) < 0.001).toBe(true);
    }
  });

  test("an event of 2 MB passes", async () => {
    const text = "x".repeat(2 * 1024 * 1024);
    const chunk = (delta: JsonObject, finish: string | null): JsonObject => ({
      id: "x",
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    gateway.upstream.answer(sse(chunk({ content: text }, null), chunk({}, "stop"), "[DONE]"));
    expect(await (await ask(true)).text()).toContain(text);
  });

  test("an error text with a key in it comes without the key", async () => {
    gateway.upstream.answer((_request, response) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(
        JSON.stringify({
          error: {
            message:
              "Incorrect API key provided: sk-proj-abcdefghijklmnopqrstuvwxyz123456. org-AbCdEfGh12345678",
            type: "invalid_request_error",
          },
        }),
      );
    });
    const text = await (await ask(false)).text();
    expect(text).not.toContain("abcdefghijklmnopqrstuvwxyz123456");
  });
});

describe("raw sockets", () => {
  test("a WebSocket upgrade is answered 426", async () => {
    const { port } = new URL(gateway.url);
    const head = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(
          "GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        );
      });
      socket.on("data", (data) => resolve(data.toString()));
    });
    expect(head).toMatch(/^HTTP\/1\.1 426 /);
  });
});
