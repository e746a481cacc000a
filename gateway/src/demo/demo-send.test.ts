import { beforeEach, describe, expect, test } from "vitest";

import { asArray, asObject, asString, parseObject, type JsonObject } from "#lib/json.ts";
import { parseSseFrame, SseFramer } from "#lib/sse.ts";
import { readAll, type Send, type UpstreamAnswer } from "#upstream/answer.ts";

import type { DemoClock } from "./demo-body.ts";
import { createDemoSend } from "./demo-send.ts";

/** A clock that stands still until a wait is asked for, and then jumps over it. */
function fakeClock(): DemoClock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => 1_000_000,
    after(waitMs, callback) {
      if (waitMs > 0) waits.push(waitMs);
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
}

let clock = fakeClock();
let send: Send = createDemoSend(clock);
beforeEach(() => {
  clock = fakeClock();
  send = createDemoSend(clock);
});

const post = (path: string, body: unknown, signal = new AbortController().signal) =>
  send({
    method: "POST",
    url: new URL(`http://demo.turnpike.invalid/v1${path}`),
    headers: {},
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    signal,
    headTimeoutMs: 1000,
    idleTimeoutMs: 1000,
  });

const read = async (answer: UpstreamAnswer): Promise<JsonObject> =>
  asObject(parseObject((await readAll(answer, 1e6)).toString()));

const chat = async (body: JsonObject): Promise<JsonObject> =>
  read(await post("/chat/completions", body));

async function stream(body: JsonObject): Promise<JsonObject[]> {
  const answer = await post("/chat/completions", { ...body, stream: true });
  const bytes = await readAll(answer, 1e6);
  const data = new SseFramer().push(bytes).map((frame) => parseSseFrame(frame.toString())?.data);
  expect(data.pop()).toBe("[DONE]");
  return data.map((text) => JSON.parse(text ?? "") as JsonObject);
}

const messageOf = (body: JsonObject): JsonObject =>
  asObject(asObject(asArray(body["choices"])[0])["message"]);
const deltaOf = (chunk: JsonObject): JsonObject =>
  asObject(asObject(asArray(chunk["choices"])[0])["delta"]);
const hello = [{ role: "user", content: "hello there" }];
const weather = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe("echo", () => {
  test("says that it is a demo and what was said, and counts tokens", async () => {
    const body = await chat({ model: "echo", messages: hello });
    expect(messageOf(body)["content"]).toBe(
      "This is Turnpike's built-in demo; no AI model was asked. You said: hello there",
    );
    expect(body["usage"]).toMatchObject({ prompt_tokens: 7, completion_tokens: 20 });
  });

  test("is the same answer every time", async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => chat({ model: "echo", messages: hello })),
    );
    expect(one).toEqual(two);
  });

  test("streams the same text word by word", async () => {
    const chunks = await stream({ model: "echo", messages: hello });
    const text = chunks.map((chunk) => asString(deltaOf(chunk)["content"]) ?? "").join("");
    expect(text).toMatch(/You said: hello there$/);
    expect(chunks.length).toBeGreaterThan(10);
    expect(asObject(asArray(chunks.at(-1)?.["choices"])[0])["finish_reason"]).toBe("stop");
    expect(chunks.some((chunk) => "usage" in chunk)).toBe(false);
  });

  test("sends usage in a last chunk when it is asked for", async () => {
    const options = { stream_options: { include_usage: true } };
    const chunks = await stream({ model: "echo", messages: hello, ...options });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7 } });
  });

  test("obeys max_tokens, stop and n", async () => {
    const cut = await chat({ model: "echo", messages: hello, max_tokens: 5 });
    expect(asArray(cut["choices"])[0]).toMatchObject({ finish_reason: "length" });
    const stopped = await chat({ model: "echo", messages: hello, stop: " You" });
    expect(messageOf(stopped)["content"]).toMatch(/no AI model was asked\.$/);
    const two = await chat({ model: "echo", messages: hello, n: 2 });
    expect(two["choices"]).toHaveLength(2);
  });

  test("answers a json_schema with JSON that fits it", async () => {
    const schema = {
      type: "object",
      properties: { size: { enum: ["s", "m"] }, item: { $ref: "#/$defs/item" } },
      $defs: { item: { anyOf: [{ type: "integer", minimum: 3 }, { type: "null" }] } },
    };
    const format = { type: "json_schema", json_schema: { name: "x", schema } };
    const body = await chat({ model: "echo", messages: hello, response_format: format });
    expect(JSON.parse(String(messageOf(body)["content"]))).toEqual({ size: "s", item: 3 });
  });

  test("answers json_object with an object that says so", async () => {
    const format = { type: "json_object" };
    const body = await chat({ model: "echo", messages: hello, response_format: format });
    expect(parseObject(String(messageOf(body)["content"]))).toMatchObject({
      demo: true,
      youSaid: "hello there",
    });
  });
});

describe("tools", () => {
  test("calls the first tool with arguments that fit its schema", async () => {
    const body = await chat({ model: "tools", messages: hello, tools: [weather] });
    expect(messageOf(body)["tool_calls"]).toEqual([
      {
        id: "call_demo_1",
        type: "function",
        function: { name: "weather", arguments: '{"city":"demo city"}' },
      },
    ]);
  });

  test("streams the arguments in fragments", async () => {
    const chunks = await stream({ model: "tools", messages: hello, tools: [weather] });
    const calls = chunks.flatMap((chunk) => asArray(deltaOf(chunk)["tool_calls"]));
    const parts = calls.map((call) => asObject(asObject(call)["function"])["arguments"]);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.join("")).toBe('{"city":"demo city"}');
  });

  test("speaks of the result once there is one", async () => {
    const messages = [
      ...hello,
      { role: "assistant", content: null, tool_calls: [] },
      { role: "tool", tool_call_id: "call_demo_1", content: "19 degrees" },
    ];
    const body = await chat({ model: "tools", messages, tools: [weather] });
    expect(messageOf(body)["content"]).toMatch(/The tool answered: 19 degrees$/);
  });

  test("behaves as echo without tools, and under tool_choice none", async () => {
    for (const extra of [{}, { tools: [weather], tool_choice: "none" }]) {
      const body = await chat({ model: "tools", messages: hello, ...extra });
      expect(messageOf(body)["content"]).toMatch(/You said: hello there$/);
    }
  });

  test("a forced tool is called by any demo model", async () => {
    const second = { type: "function", function: { name: "second" } };
    const body = await chat({
      model: "echo",
      messages: hello,
      tools: [weather, second],
      tool_choice: { type: "function", function: { name: "second" } },
    });
    expect(messageOf(body)["tool_calls"]).toMatchObject([{ function: { name: "second" } }]);
  });
});

describe("flaky", () => {
  test("fails first, then answers, in turns", async () => {
    const statuses: number[] = [];
    for (let at = 0; at < 4; at += 1) {
      const answer = await post("/chat/completions", { model: "flaky", messages: hello });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([503, 200, 503, 200]);
  });
});

describe("slow", () => {
  test("waits 100 ms before each word", async () => {
    await stream({ model: "slow", messages: hello });
    expect(clock.waits).toEqual(Array.from({ length: 14 }, () => 100));
  });

  test("takes as long when it is not streamed", async () => {
    await chat({ model: "slow", messages: hello });
    expect(clock.waits).toEqual([1400]);
  });

  test("stops at once when the caller leaves", async () => {
    const slow = createDemoSend();
    send = slow;
    const controller = new AbortController();
    const answer = await post(
      "/chat/completions",
      { model: "slow", messages: hello, stream: true },
      controller.signal,
    );
    let received = 0;
    const failure = await new Promise<Error>((resolve, reject) => {
      answer.read({
        data: () => {
          received += 1;
          controller.abort(new Error("left"));
        },
        end: () => reject(new Error("ended")),
        fail: resolve,
      });
    });
    expect(failure.message).toBe("left");
    expect(received).toBe(1);
  });

  test("a request that was aborted before is refused", async () => {
    await expect(
      post(
        "/chat/completions",
        { model: "echo", messages: hello },
        AbortSignal.abort(new Error("x")),
      ),
    ).rejects.toThrow("x");
  });
});

describe("back-pressure", () => {
  test("nothing comes between pause and resume, and nothing is lost", async () => {
    const answer = await post("/chat/completions", {
      model: "echo",
      messages: hello,
      stream: true,
    });
    const whole = (await readAll(answer, 1e6)).toString();
    const again = await post("/chat/completions", { model: "echo", messages: hello, stream: true });
    let paused = false;
    const parts: string[] = [];
    await new Promise<void>((resolve, reject) => {
      again.read({
        data(chunk) {
          expect(paused).toBe(false);
          parts.push(chunk.toString());
          paused = true;
          again.pause();
          setTimeout(() => {
            paused = false;
            again.resume();
          }, 1);
        },
        end: resolve,
        fail: reject,
      });
    });
    expect(parts.join("")).toBe(whole);
  });

  test("nothing comes after abort", async () => {
    const answer = await post("/chat/completions", {
      model: "echo",
      messages: hello,
      stream: true,
    });
    let calls = 0;
    const count = (): void => void (calls += 1);
    answer.read({ data: () => (count(), answer.abort()), end: count, fail: count });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
  });
});

describe("embed", () => {
  const embed = async (body: JsonObject): Promise<JsonObject> =>
    read(await post("/embeddings", { model: "embed", ...body }));
  const vectors = async (body: JsonObject): Promise<number[][]> =>
    asArray((await embed(body))["data"]).map((item) => asObject(item)["embedding"] as number[]);
  const dot = (a: number[], b: number[]): number =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

  test("gives unit vectors; texts that share words are nearer", async () => {
    const [cat, dog, car] = await vectors({
      input: ["a small cat", "a small dog", "fast red car"],
    });
    expect(dot(cat!, cat!)).toBeCloseTo(1, 5);
    expect(dot(cat!, dog!)).toBeGreaterThan(dot(cat!, car!));
  });

  test("honours dimensions and base64, and counts tokens", async () => {
    const body = await embed({ input: "hello", dimensions: 8, encoding_format: "base64" });
    const text = String(asObject(asArray(body["data"])[0])["embedding"]);
    const [floats] = await vectors({ input: "hello", dimensions: 8 });
    const bytes = Buffer.from(text, "base64");
    expect(Array.from({ length: 8 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(floats);
    expect(body["usage"]).toEqual({ prompt_tokens: 2, total_tokens: 2 });
  });

  test("takes tokens in place of text", async () => {
    expect(await vectors({ input: [1, 2, 3] })).toHaveLength(1);
    expect(await vectors({ input: [[1, 2], [3]] })).toHaveLength(2);
  });
});

describe("wrong requests", () => {
  test.each([
    ["not JSON", "{", 400, "invalid_json"],
    ["a list", "[]", 400, "invalid_json"],
    ["no model", { messages: hello }, 400, "invalid_value"],
    ["an unknown model", { model: "gpt", messages: hello }, 404, "model_not_found"],
    ["an embedding model", { model: "embed", messages: hello }, 404, "model_not_found"],
    ["no messages", { model: "echo", messages: [] }, 400, "invalid_value"],
    ["messages of another type", { model: "echo", messages: "hi" }, 400, "invalid_value"],
    ["a message that is null", { model: "echo", messages: [null] }, 400, "invalid_value"],
    ["an unknown role", { model: "echo", messages: [{ role: "x" }] }, 400, "invalid_value"],
    ["max_tokens 0", { model: "echo", messages: hello, max_tokens: 0 }, 400, "invalid_value"],
    ["n of a thousand", { model: "echo", messages: hello, n: 1000 }, 400, "invalid_value"],
    ["tools of another type", { model: "echo", messages: hello, tools: {} }, 400, "invalid_value"],
  ])("%s", async (...row) => {
    const [, body, status, code] = row;
    const answer = await post("/chat/completions", body);
    expect(answer.status).toBe(status);
    expect((await read(answer))["error"]).toMatchObject({ code, type: "invalid_request_error" });
  });

  test.each([
    ["no input", {}],
    ["an empty list", { input: [] }],
    ["an object", { input: [{}] }],
    ["dimensions of a million", { input: "a", dimensions: 1e6 }],
    ["an unknown encoding", { input: "a", encoding_format: "hex" }],
  ])("embeddings with %s", async (_name, body) => {
    const answer = await post("/embeddings", { model: "embed", ...body });
    expect(answer.status).toBe(400);
  });

  test("another path", async () => {
    expect((await post("/models", {})).status).toBe(404);
  });
});
