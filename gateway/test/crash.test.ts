import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "#store/store.ts";
import { json, sse, startFakeUpstream, type FakeUpstream } from "#test/fake-upstream.ts";
import { providerEnvironment, TEST_KEY } from "#test/start-gateway.ts";

const MAIN = resolve(import.meta.dirname, "../src/main.ts");

let upstream: FakeUpstream;
let home: string;
let child: ChildProcess;
let url: string;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  home = mkdtempSync(join(tmpdir(), "turnpike-crash-"));
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TURNPIKE_HOME: home,
    TURNPIKE_KEY: TEST_KEY,
    TURNPIKE_PORT: "0",
    ...providerEnvironment(upstream.origin),
  };
  child = spawn(process.execPath, [MAIN, "serve"], { env, stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (data: Buffer) => {
      text += data.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
  });
});
afterEach(async () => {
  child.kill("SIGKILL");
  await upstream.close();
  rmSync(home, { recursive: true, force: true });
});

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const whole = json({
  id: "x",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
  usage,
});
const streamed = sse(
  {
    id: "x",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { content: "ok" }, finish_reason: null }],
  },
  {
    id: "x",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
  },
  { id: "x", object: "chat.completion.chunk", choices: [], usage },
  "[DONE]",
);

test.each([
  ["whole answers", false],
  ["streams", true],
])(
  "the records of %s survive a process killed the moment they have been answered",
  async (_name, stream) => {
    upstream.answer(stream ? streamed : whole);
    const body = JSON.stringify({
      model: "openai/gpt-4o-mini",
      stream,
      messages: [{ role: "user", content: "x" }],
    });
    const headers = { authorization: `Bearer ${TEST_KEY}` };
    const answered: string[] = [];
    // The kill comes while other requests are under way: only those that were answered must be there.
    const one = async (): Promise<void> => {
      try {
        const response = await fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          headers,
          body,
        });
        await response.text();
        answered.push(response.headers.get("x-request-id") ?? "");
        if (answered.length === 40) child.kill("SIGKILL");
      } catch {
        // Cut by the kill.
      }
    };
    await Promise.all(Array.from({ length: 80 }, one));
    const store = await openStore({ home });
    const rows = await store.records
      .selectFrom("request_records")
      .select(["id", "cost_nano_usd"])
      .execute();
    await store.close();
    const recorded = new Set(rows.map(({ id }) => id));
    expect(answered.length).toBeGreaterThanOrEqual(40);
    expect(answered.filter((id) => !recorded.has(id))).toEqual([]);
    // 10 × 0.15 + 5 × 0.60 USD for a million tokens.
    expect(new Set(rows.map((row) => row.cost_nano_usd))).toEqual(new Set([4500]));
  },
);
