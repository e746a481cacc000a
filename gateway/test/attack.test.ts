import { Agent, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { asObject, type JsonObject } from "#lib/json.ts";
import { bytes, json } from "#test/fake-upstream.ts";
import { HELLO } from "#test/matrix/scenario.ts";
import { anthropicMessages } from "#test/matrix/upstream/anthropic-messages.ts";
import { bedrockConverse } from "#test/matrix/upstream/bedrock-converse.ts";
import { cohere } from "#test/matrix/upstream/cohere.ts";
import { gemini } from "#test/matrix/upstream/gemini.ts";
import { openaiChat } from "#test/matrix/upstream/openai-chat.ts";
import { openaiResponses } from "#test/matrix/upstream/openai-responses.ts";
import { growthOfTenfold } from "#test/pace.ts";
import { poisoned } from "#test/poison.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

/** What hostile clients and providers have been seen to break, and seeded noise for what nobody has seen. */
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({
    timeouts: {
      firstContentMs: 2_000,
      reasoningFirstContentMs: 2_000,
      headMs: 2_000,
      idleMs: 1_000,
      writeStallMs: 500,
    },
  });
});
afterAll(() => gateway.close());

const MODEL = "openai/gpt-4o-mini";
const ASK = { model: MODEL, max_tokens: 50, messages: [{ role: "user", content: "x" }] };
const chunk = (delta: JsonObject, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

const open = (): Socket => {
  const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  return socket;
};

/** What a socket has been sent when it is closed or `ms` are over. */
async function talk(text: string, ms = 1_000): Promise<string> {
  const socket = open();
  let received = "";
  socket.on("data", (data) => {
    received += data.toString();
  });
  socket.write(text);
  const closed = new Promise((resolve) => {
    socket.on("close", resolve);
  });
  await Promise.race([closed, sleep(ms)]);
  socket.destroy();
  return received;
}

describe("strangers", () => {
  test("a verb that every JavaScript object has is no verb", async () => {
    for (const verb of ["constructor", "toString", "__proto__"]) {
      const headers = [{}, { authorization: `Bearer ${gateway.key}` }];
      const path = `${gateway.url}/v1/models/m:${verb}`;
      const sent = headers.map((one) => fetch(path, { method: "POST", headers: one, body: "{}" }));
      const statuses = (await Promise.all(sent)).map(({ status }) => status);
      expect(statuses).toEqual([401, 404]);
    }
  });

  test("an upgrade that is reset does not end the process", async () => {
    const upgrade =
      "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    for (let round = 0; round < 30; round++) {
      const socket = open();
      socket.write(upgrade);
      await sleep(round % 5);
      socket.resetAndDestroy();
    }
    await sleep(50);
    expect((await gateway.get("/healthz")).status).toBe(200);
  });

  test("an offer of HTTP/2, as Java's client makes it, is ignored", async () => {
    const head = await talk(
      "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n",
      300,
    );
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("who has no key is told so before the body is taken in", async () => {
    const head = await talk(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n{",
      500,
    );
    expect(head).toMatch(/^HTTP\/1\.1 401 [^]*invalid_api_key/);
  });

  test("a name with a lone percent sign is an unknown model", async () => {
    for (const path of ["/v1/models/%25", "/v1beta/models/%25E0%25A4"]) {
      expect((await gateway.get(path)).status).toBe(404);
    }
  });
});

describe("large bodies do not hold the gateway up", () => {
  test("100,000 fields that a provider does not know", async () => {
    gateway.upstream.answer(json(anthropicMessages.whole(HELLO)));
    const growth = await growthOfTenfold(10_000, async (fields) => {
      const odd = Object.fromEntries(Array.from({ length: fields }, (_, at) => [`odd_${at}`, at]));
      const body = { ...ASK, ...odd, model: anthropicMessages.model };
      expect((await gateway.post("/v1/chat/completions", body)).status).toBe(200);
    });
    expect(growth).toBeLessThan(30);
  });

  test.each([anthropicMessages, gemini])("50,000 tool calls: $model", async (provider) => {
    gateway.upstream.answer(json(provider.whole(HELLO)));
    const growth = await growthOfTenfold(5_000, async (calls) => {
      const ids = Array.from({ length: calls }, (_, at) => `c${at}`);
      const response = await gateway.post("/v1/chat/completions", {
        model: provider.model,
        messages: [
          { role: "user", content: "x" },
          {
            role: "assistant",
            tool_calls: ids.map((id) => ({
              id,
              type: "function",
              function: { name: "f", arguments: "{}" },
            })),
          },
          ...ids.map((id) => ({ role: "tool", tool_call_id: id, content: "x" })),
        ],
      });
      expect(response.status).toBe(200);
    });
    expect(growth).toBeLessThan(30);
  });

  test("arguments nested 50,000 levels deep", async () => {
    const provider = anthropicMessages;
    gateway.upstream.answer(json(provider.whole(HELLO)));
    for (const text of [
      "[".repeat(50_000) + "]".repeat(50_000),
      `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
    ]) {
      const call = { id: "c", type: "function", function: { name: "f", arguments: text } };
      const response = await gateway.post("/v1/chat/completions", {
        model: provider.model,
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", tool_calls: [call] },
          { role: "tool", tool_call_id: "c", content: "x" },
        ],
      });
      expect(response.status).toBe(200);
    }
  });

  test("a whole answer that its client does not read is dropped", async () => {
    const content = "y".repeat(30_000_000);
    gateway.upstream.answer(
      json({ id: "x", choices: [{ index: 0, message: { content }, finish_reason: "stop" }] }),
    );
    const cut = new Promise((resolve) => {
      const headers = { authorization: `Bearer ${gateway.key}` };
      const sent = httpRequest(`${gateway.url}/v1/chat/completions`, { method: "POST", headers });
      sent.on("response", (response) => {
        response.pause();
        response.on("error", () => undefined);
        // What the sockets hold is still read; the rest has gone.
        setTimeout(() => response.resume(), 2_000);
        response.on("close", () => resolve(!response.complete));
      });
      sent.end(JSON.stringify(ASK));
    });
    expect(await cut).toBe(true);
  });
});

describe("hostile providers", () => {
  test("a finish reason that every JavaScript object has", async () => {
    for (const reason of ["constructor", "toString", "__proto__"]) {
      const message = { role: "assistant", content: "ok" };
      gateway.upstream.answer(
        json({ id: "x", choices: [{ index: 0, message, finish_reason: reason }] }),
      );
      for (const path of ["/v1/chat/completions", "/v1/messages"]) {
        expect((await gateway.post(path, ASK)).status).toBe(200);
      }
    }
  });

  test("a reported cost that cannot be is unknown, and the answer is given", async () => {
    const whole = openaiChat.whole(HELLO);
    for (const cost of [1e308, 1e12]) {
      gateway.upstream.answer(json({ ...whole, usage: { ...asObject(whole["usage"]), cost } }));
      const response = await gateway.post("/v1/chat/completions", {
        ...ASK,
        model: openaiChat.model,
      });
      expect(response.status).toBe(200);
      expect(response.headers.get("x-turnpike-cost-usd")).toBe("unknown");
    }
  });

  test("a stream that is finished and then left open, cut or closed without its end, ends properly", async () => {
    const said = chunk({ content: "ok" }) + chunk({}, "stop") + "data: [DONE]\n\n";
    const ends = {
      open: () => undefined,
      cut: (close: () => void) => setTimeout(close, 20),
    };
    for (const end of Object.values(ends)) {
      gateway.upstream.answer((_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(said);
        end(() => response.destroy());
      });
      const text = await (
        await gateway.post("/v1/chat/completions", { ...ASK, stream: true })
      ).text();
      expect(text).toMatch(/\[DONE\]\s*$/);
      expect(text).not.toContain('"error"');
    }
    gateway.upstream.answer(bytes(chunk({ content: "ok" }) + chunk({}, "stop")));
    const chat = await gateway.post("/v1/chat/completions", { ...ASK, stream: true });
    expect(await chat.text()).toMatch(/\[DONE\]\s*$/);
    const stop = anthropicMessages
      .stream(HELLO)
      .toString()
      .replace(/event: message_stop[^]*$/, "");
    gateway.upstream.answer(bytes(stop));
    const body = { ...ASK, stream: true, model: anthropicMessages.model };
    expect(await (await gateway.post("/v1/messages", body)).text()).toContain("message_stop");
  });
});

test("closing waits for streams, and not for the connections that they came over", async () => {
  const closing = await startGateway();
  closing.upstream.answer(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "one" }));
    await sleep(500);
    response.end(`${chunk({ content: "two" }, "stop")}data: [DONE]\n\n`);
  });
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${closing.key}` };
  const text = new Promise<string>((resolve) => {
    const path = `${closing.url}/v1/chat/completions`;
    const sent = httpRequest(path, { agent, method: "POST", headers }, (response) => {
      let received = "";
      response.on("data", (data: Buffer) => {
        received += data.toString();
      });
      response.on("end", () => resolve(received));
    });
    sent.end(JSON.stringify({ ...ASK, stream: true }));
  });
  await sleep(200);
  const started = performance.now();
  await closing.close();
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(await text).toContain("[DONE]");
  agent.destroy();
});

const PROVIDERS = [openaiChat, openaiResponses, anthropicMessages, gemini, bedrockConverse, cohere];
const TOOL = { type: "object", properties: { city: { type: "string" } } };
const CLIENTS: readonly (readonly [path: string, body: JsonObject])[] = [
  [
    "/v1/chat/completions",
    {
      tools: [{ type: "function", function: { name: "get", parameters: TOOL } }],
      tool_choice: "auto",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "x" },
            { type: "image_url", image_url: { url: "https://e.x/a.png" } },
          ],
        },
        {
          role: "assistant",
          tool_calls: [{ id: "c", type: "function", function: { name: "get", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c", content: "ok" },
      ],
    },
  ],
  [
    "/v1/messages",
    {
      max_tokens: 50,
      system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
      tools: [{ name: "get", input_schema: TOOL }],
      messages: [
        { role: "user", content: [{ type: "text", text: "x" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "t", signature: "s" },
            { type: "tool_use", id: "c", name: "get", input: {} },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "c", content: "ok" }] },
      ],
    },
  ],
  [
    "/v1/responses",
    {
      tools: [{ type: "function", name: "get", parameters: TOOL }],
      input: [
        { role: "user", content: [{ type: "input_text", text: "x" }] },
        { type: "reasoning", summary: [], encrypted_content: "e" },
        { type: "function_call", call_id: "c", name: "get", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: "ok" },
      ],
    },
  ],
];

describe("seeded noise", () => {
  const pairs = PROVIDERS.flatMap((provider) =>
    CLIENTS.map(([path, body]) => ({ model: provider.model, path, provider, body })),
  );
  test.each(pairs)("$model from $path", async ({ model, path, provider, body }) => {
    const noise = { numRuns: 25, seed: 1 };
    const check = async (sent: JsonObject): Promise<void> => {
      const response = await gateway.post(path, { ...sent, model });
      const text = await response.text();
      expect([200, 400, 404, 413, 502, 503]).toContain(response.status);
      if (response.status !== 200) {
        expect(typeof asObject(asObject(JSON.parse(text))["error"])["message"]).toBe("string");
      }
    };
    gateway.upstream.answer(json(provider.whole(HELLO)));
    for (const sent of fc.sample(poisoned(body), noise)) await check(sent);
    for (const answer of fc.sample(poisoned(provider.whole(HELLO)), noise)) {
      gateway.upstream.answer(json(answer));
      await check(body);
    }
    const events = provider.stream(HELLO);
    for (const at of fc.sample(fc.nat(events.length - 1), noise)) {
      const broken = Buffer.from(events);
      broken[at] = (broken[at] ?? 0) ^ 1;
      gateway.upstream.answer(bytes(broken, { type: provider.streamType }));
      await check({ ...body, stream: true });
    }
  });
});
