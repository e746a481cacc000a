import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  startFakeUpstream,
  status,
  type FakeUpstream,
  type Script,
} from "../gateway/test/fake-upstream.ts";
import { providerEnvironment } from "../gateway/test/start-gateway.ts";

const KEY = "sk-proj-Zk3Qw8Rt5Yu1Io7Pa9Sd2Fg4Hj6Kl0";
const MODEL = "gpt-4.1-mini";

let upstream: FakeUpstream;
let folder: string;
beforeAll(async () => {
  upstream = await startFakeUpstream();
  folder = mkdtempSync(join(tmpdir(), "turnpike-record-"));
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly stream: boolean;
  readonly session: string;
  readonly session_pos: number;
  readonly features: readonly string[];
  readonly recorded_at: string;
  readonly request: { url: string; headers: Record<string, string>; body: Record<string, unknown> };
  readonly response: {
    status: number;
    headers: Record<string, string>;
    body?: Record<string, unknown>;
    sse?: string[];
    sep?: string;
    tail?: string;
    chunk_sizes?: number[];
  };
  readonly elided?: readonly { path: string; len: number }[];
}

interface Run {
  readonly code: number;
  readonly output: string;
}

const record = (out: string, ...args: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    const script = join(import.meta.dirname, "record-fixture.ts");
    const env = {
      PATH: process.env["PATH"],
      ...providerEnvironment(upstream.origin),
      OPENAI_API_KEY: KEY,
      BEDROCK_REGION: "us-east-1",
    };
    const all = [
      "--disable-warning=ExperimentalWarning",
      script,
      ...args,
      "--out",
      join(folder, out),
    ];
    execFile(process.execPath, all, { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: out + err }),
    );
  });

const lines = (): Line[] =>
  readFileSync(join(folder, "all", "openai.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

const HEADERS = {
  "content-type": "application/json",
  "set-cookie": "__cf_bm=secret-cookie",
  "openai-organization": "acme-corp-x7",
  "x-request-id": "req_1",
  "x-ratelimit-remaining-tokens": "100",
};

const STREAM = [
  '{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Grüße"}}]}',
  '{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  "[DONE]",
]
  .map((data) => `data: ${data}\n\n`)
  .join("");

/** As OpenAI answers, and with everything in it that must not be written. */
const provider: Script = ({ path, headers, body }, response) => {
  const answer = (status: number, value: unknown): void => {
    response.writeHead(status, HEADERS).end(JSON.stringify(value));
  };
  if (headers.authorization !== `Bearer ${KEY}`) {
    return answer(401, { error: { message: "Incorrect API key provided: sk-this-k*****0000" } });
  }
  if (body["model"] === "no-such-model-0") {
    const message = `${KEY} of org-a1b2c3d4e5 (jane@example.org) has no such model`;
    return answer(404, { error: { message, code: "model_not_found" }, project: "acme" });
  }
  if (body["stream"] === true) {
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    response.write(STREAM.slice(0, 40));
    setTimeout(() => response.end(STREAM.slice(40)), 20);
    return undefined;
  }
  const call = {
    id: "call_1",
    type: "function",
    function: { name: "get_weather", arguments: "{}" },
  };
  const asksTool = body["tools"] !== undefined && !JSON.stringify(body).includes("temperature_");
  const message = { role: "assistant", content: null, ...(asksTool && { tool_calls: [call] }) };
  const choice = { index: 0, message, finish_reason: asksTool ? "tool_calls" : "stop" };
  return answer(200, { id: "c2", object: path, model: MODEL, choices: [choice] });
};

describe("npm run record", () => {
  let run: Run;
  beforeAll(async () => {
    upstream.answer(provider);
    run = await record("all", "openai", "--model", MODEL);
  });

  test("writes every standard scenario as a line of the corpus", () => {
    expect(run.output).toContain(`${lines().length} exchanges in`);
    expect(run.code).toBe(0);
    const chat = lines().filter(({ endpoint }) => endpoint === "openai.chat");
    expect(chat.map(({ features }) => features[0])).toEqual([
      "text",
      "text-stream",
      "tool-call",
      "tool-result",
      "tool-call-stream",
      "structured-output",
      "image",
      "cached-prefix-first",
      "cached-prefix-second",
      "bad-model",
      "bad-key",
      "too-long",
    ]);
    const endpoints = new Set(lines().map(({ endpoint }) => endpoint));
    expect([...endpoints]).toEqual([
      "openai.chat",
      "openai.responses",
      "embeddings",
      "moderations",
    ]);
    expect(new Set(lines().map(({ id }) => id)).size).toBe(lines().length);
    for (const line of lines()) {
      expect(line).toMatchObject({ provider: "openai", fidelity: "wire" });
      expect(line.recorded_at).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(line.request.body["model"]).toBe(line.model);
    }
  });

  test("keeps a stream's bytes and the lengths of its reads", () => {
    const stream = lines().find(({ features }) => features[0] === "text-stream");
    const { sse = [], sep = "", tail, chunk_sizes: sizes = [] } = stream?.response ?? {};
    expect(sse.join(sep) + sep + tail).toBe(STREAM);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(Buffer.byteLength(STREAM));
  });

  test("sends the model's own call back with its result, in one session", () => {
    const [call, result] = ["tool-call", "tool-result"].map((name) =>
      lines().find(({ features }) => features[0] === name),
    );
    expect(result).toMatchObject({ session: call?.session, session_pos: 1 });
    expect(JSON.stringify(result?.request.body)).toContain('"tool_call_id":"call_1"');
  });

  test("sends a wrong key where that is the scenario, and cuts the prompt that is too long", () => {
    const named = (name: string) => lines().find(({ features }) => features[0] === name);
    expect(named("bad-key")?.response.status).toBe(401);
    const long = named("too-long");
    expect(long?.elided?.[0]).toMatchObject({ path: expect.stringContaining("messages[0]") });
    expect(JSON.stringify(long).length).toBeLessThan(5_000);
  });

  test("writes neither key nor cookie, organisation, project or address", () => {
    const text = readFileSync(join(folder, "all", "openai.jsonl"), "utf8") + run.output;
    expect(text).toContain("has no such model");
    for (const secret of [KEY, KEY.slice(8, 24), "secret-cookie", "acme", "org-a1b2", "jane@"]) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain("x-ratelimit-remaining-tokens");
    expect(text).not.toContain("authorization");
  });

  test("writes nothing at all when part of the key is still there", async () => {
    const spaced = `${KEY.slice(4, 34)} is the key without its prefix`;
    upstream.answer((_request, response) => {
      response.writeHead(200, HEADERS).end(JSON.stringify({ note: spaced }));
    });
    const { code, output } = await record("none", "openai", "--model", MODEL);
    expect(code).toBe(1);
    expect(output).toContain("holds part of a key. Nothing was written.");
    expect(output).not.toContain(KEY.slice(8, 24));
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  test.each([
    ["anthropic", "/v1/messages"],
    ["google", ":streamGenerateContent?alt=sse"],
    ["bedrock", "/converse-stream"],
    ["cohere", "/v2/chat"],
  ])("speaks the protocol of %s, and goes on after failures", async (id, path) => {
    const before = upstream.requests.length;
    upstream.answer(status(500, { message: "at work" }));
    const { code } = await record(id, id);
    expect(code).toBe(0);
    const written = readFileSync(join(folder, id, `${id}.jsonl`), "utf8")
      .trimEnd()
      .split("\n");
    const paths = upstream.requests.slice(before).map((request) => request.path);
    expect(written).toHaveLength(paths.length);
    expect(paths.some((sent) => sent.endsWith(path))).toBe(true);
    expect(written.length).toBeGreaterThan(8);
  });

  test("says which providers have a key when the one that is asked for has none", async () => {
    const { code, output } = await record("none", "mistral");
    expect(code).toBe(1);
    expect(output).toContain('No key for "mistral" is in the environment. There are keys for: ');
    expect(output).toContain("openai");
  });
});
