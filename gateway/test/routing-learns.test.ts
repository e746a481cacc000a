import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { runCli } from "#cli/run.ts";
import { createKey } from "#governance/create-key.ts";
import { asArray, asObject, asString, type JsonObject } from "#lib/json.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { listPosteriors, type PosteriorRow } from "#store/feedback.ts";
import { openStore } from "#store/store.ts";
import type { Script } from "#test/fake-upstream.ts";
import {
  providerEnvironment,
  startGateway,
  TEST_KEY,
  type TestGateway,
} from "#test/start-gateway.ts";

const CHEAP = "gpt-5.4-nano";
const DEAR = "gpt-5.5";
const PROMPT_CANARY = "canary-of-the-prompt";
const COMMENT_CANARY = "canary-of-the-comment";

const policyText = (rest: string): string =>
  `routing:\n  auto: {allow: [${CHEAP}, ${DEAR}], providers: [openai]}\n${rest}`;

let home: string;
let gateway: TestGateway;

async function start(rest = ""): Promise<void> {
  writeFileSync(join(home, "turnpike.yaml"), policyText(rest));
  gateway = await startGateway({ home });
  gateway.upstream.answer(answer);
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "turnpike-learns-"));
});
afterEach(async () => {
  await gateway.close();
  rmSync(home, { recursive: true, force: true });
});

/** Answers each model as itself, always with the same usage. */
const answer: Script = ({ body }, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: body["model"],
      choices: [
        { index: 0, message: { role: "assistant", content: "Bonjour" }, finish_reason: "stop" },
      ],
      usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    }),
  );
};

interface Asked {
  readonly id: string;
  readonly model: string;
}

async function ask(model: string, at = 0): Promise<Asked> {
  const content = `${PROMPT_CANARY} ${at}: translate to French: the meeting is at noon`;
  const response = await gateway.post("/v1/chat/completions", {
    model,
    messages: [{ role: "user", content }],
  });
  expect(response.status).toBe(200);
  const body = (await response.json()) as JsonObject;
  const id = response.headers.get("x-request-id") ?? "";
  return { id, model: asString(body["model"]) ?? "" };
}

const generation = async (id: string): Promise<JsonObject> =>
  asObject(((await (await gateway.get(`/v1/generations/${id}`)).json()) as JsonObject)["data"]);

const chosenModel = async ({ id }: Asked): Promise<unknown> =>
  asObject((await generation(id))["decision"])["model"];

const say = (body: JsonObject, headers?: Record<string, string>): Promise<Response> =>
  gateway.post("/v1/feedback", body, headers);

async function choiceOfAuto(at: number): Promise<unknown> {
  return chosenModel(await ask("auto", at));
}

/** What is in the data folder's files, byte by byte. */
const storedBytes = (): string =>
  readdirSync(home)
    .filter((name) => name.includes(".db"))
    .map((name) => readFileSync(join(home, name)).toString("latin1"))
    .join("\n");

/** Runs a command on the gateway's own data. */
async function cli(...args: string[]): Promise<string> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(args, {
    env: {
      TURNPIKE_HOME: home,
      TURNPIKE_KEY: TEST_KEY,
      ...providerEnvironment(gateway.upstream.origin),
    },
    cwd: home,
    userHome: home,
    now: Date.now,
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  });
  if (code !== 0) throw new Error(err.join("\n"));
  return out.join("\n");
}

describe("feedback", () => {
  test("moves the choice of a class, is known after a restart, and comes back", async () => {
    await start();
    const before = await choiceOfAuto(0);
    const spoken = await Promise.all(Array.from({ length: 40 }, (_, at) => ask("auto", at + 1)));
    const [first, ...rest] = spoken;
    await say({ generation_id: first?.id, score: "down" });
    expect(await choiceOfAuto(100), "one voice is not enough").toBe(before);
    await Promise.all(rest.map(({ id }) => say({ generation_id: id, score: -1 })));
    const after = await choiceOfAuto(200);
    expect(after).not.toBe(before);
    await gateway.close();
    await start();
    expect(await choiceOfAuto(300)).toBe(after);
    await Promise.all(spoken.map(({ id }) => say({ generation_id: id, score: true })));
    expect(await choiceOfAuto(400)).toBe(before);
  });

  test("does nothing to the choice where learning is off", async () => {
    await start("  learning: {enabled: false}\n");
    const before = await choiceOfAuto(0);
    const spoken = await Promise.all(Array.from({ length: 40 }, (_, at) => ask("auto", at + 1)));
    for (const { id } of spoken) {
      expect((await say({ generation_id: id, score: -1 })).status).toBe(200);
    }
    expect(await choiceOfAuto(100)).toBe(before);
  });

  test("is answered, and shown with the request", async () => {
    await start();
    const { id } = await ask("auto");
    expect(await generation(id)).toMatchObject({ feedback_score: null });
    const response = await say({ generation_id: id, score: 0.5, comment: "good enough" });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      object: "feedback",
      id: id.replace("req_", "fb_"),
      generation_id: id,
      score: 0.5,
    });
    await say({ generation_id: id, score: "down" });
    expect(await generation(id)).toMatchObject({ feedback_score: -1 });
  });

  test("of another key's request is refused as if there were none", async () => {
    await start();
    const { id } = await ask("auto");
    const store = await openStore({ home });
    const { keyPepper } = loadMasterKey(home, undefined);
    const { key } = await createKey(store.core, keyPepper, { name: "other", now: Date.now() });
    await store.close();
    await new Promise((resolve) => {
      setTimeout(resolve, 700);
    });
    const headers = { authorization: `Bearer ${key}` };
    const strange = await say({ generation_id: id, score: 1 }, headers);
    expect(strange.status).toBe(404);
    const unknown = await say({ generation_id: "req_0", score: 1 });
    expect(unknown.status).toBe(404);
    expect(await generation(id)).toMatchObject({ feedback_score: null });
  });

  test("leaves neither prompts nor comments readable in the data", async () => {
    await start("  shadow: {percent: 100}\n");
    const { id } = await ask("auto");
    await ask(`openai/${DEAR}`);
    await say({ generation_id: id, score: 1, comment: `${COMMENT_CANARY} was fine` });
    const bytes = storedBytes();
    expect(bytes).toContain(id);
    expect(bytes).not.toContain(PROMPT_CANARY);
    expect(bytes).not.toContain(COMMENT_CANARY);
  });
});

describe("signals", () => {
  const posteriors = async (): Promise<readonly PosteriorRow[]> => {
    const store = await openStore({ home });
    const rows = await listPosteriors(store.records);
    await store.close();
    return rows;
  };

  test("a question asked again at once counts a little against the first answer", async () => {
    await start();
    await ask("auto");
    await ask("auto");
    await gateway.close();
    const rows = await posteriors();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ good: 0, bad: 0 });
    expect(rows[0]?.signalled).toBeCloseTo(0.05, 6);
    await start();
  });

  test("a tool call that nobody can carry out counts against the model, not beside a named one", async () => {
    await start();
    gateway.upstream.answer(({ body }, response) => {
      const call = { id: "call_1", type: "function", function: { name: "nope", arguments: "{" } };
      const message = { role: "assistant", content: null, tool_calls: [call] };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({
          id: "chatcmpl-1",
          object: "chat.completion",
          created: 1,
          model: body["model"],
          choices: [{ index: 0, message, finish_reason: "tool_calls" }],
          usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
        }),
      );
    });
    const tools = [
      { type: "function", function: { name: "look_up", parameters: { type: "object" } } },
    ];
    const messages = [{ role: "user", content: "look it up" }];
    await gateway.post("/v1/chat/completions", { model: `openai/${CHEAP}`, messages, tools });
    await gateway.post("/v1/chat/completions", { model: "auto", messages, tools });
    await gateway.close();
    const rows = await posteriors();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.signalled).toBeCloseTo(0.3, 6);
    await start();
  });
});

describe("shadow", () => {
  test("tells what auto would have saved beside a named model", async () => {
    await start("  preference: cheap\n  shadow: {percent: 100}\n");
    for (let at = 0; at < 5; at++) await ask(`openai/${DEAR}`, at);
    const text = await cli("usage", "--shadow");
    const { rows } = JSON.parse(await cli("usage", "--shadow", "--json")) as { rows: JsonObject[] };
    expect(rows).toHaveLength(1);
    // 1,000 tokens in and 100 out at the catalogue's prices of both models.
    expect(rows[0]).toMatchObject({ model: DEAR, requests: 5, priced: 5 });
    const { costNanoUsd, autoNanoUsd } = rows[0] as Record<string, number>;
    expect(costNanoUsd).toBe(5 * 8_000_000);
    expect(autoNanoUsd).toBe(5 * 325_000);
    expect(text).toMatch(/gpt-5\.5 +5 +\$0\.040000 +\$0\.001625 +95\.9 %/);
    expect(gateway.upstream.requests, "no call beside the client's own").toHaveLength(5);
  });

  test("follows its share of the conversations, and feedback beside it teaches the named model", async () => {
    await start("  shadow: {percent: 50}\n");
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, at) => ask(`openai/${DEAR}`, at)),
    );
    const [row] = JSON.parse(await cli("usage", "--shadow", "--json")).rows as {
      requests: number;
    }[];
    expect(row?.requests).toBeGreaterThan(15);
    expect(row?.requests).toBeLessThan(45);
    await Promise.all(asked.map(({ id }) => say({ generation_id: id, score: 1 })));
    await gateway.close();
    const store = await openStore({ home });
    const taught = await listPosteriors(store.records);
    await store.close();
    expect(new Set(taught.map(({ model }) => model))).toEqual(new Set([DEAR]));
    const good = taught.reduce((sum, posterior) => sum + posterior.good, 0);
    expect(good, "one for each request with a shadow").toBeCloseTo(row?.requests ?? 0, 1);
    await start();
  });

  test("is off by default", async () => {
    await start();
    const { id } = await ask(`openai/${DEAR}`);
    expect(asObject((await generation(id))["decision"])).not.toHaveProperty("shadow");
    expect(await cli("usage", "--shadow")).toMatch(/^No shadow decisions/);
  });
});

describe("replay", () => {
  test("tells moved shares and sums of fifty requests under a cheaper policy", async () => {
    await start("  preference: best\n");
    for (let at = 0; at < 30; at++) await ask("auto:best", at);
    for (let at = 0; at < 20; at++) await ask(`openai/${CHEAP}`, at);
    await gateway.post("/v1/chat/completions", { model: "no-such-model", messages: [] });
    const policy = join(home, "cheap.yaml");
    writeFileSync(policy, `auto: {allow: [${CHEAP}], providers: [openai]}\n`);
    const result = JSON.parse(await cli("replay", "--policy", policy, "--json")) as JsonObject;
    expect(result).toMatchObject({
      replayed: 50,
      cost: { requests: 50, before: 30 * 8_000_000 + 20 * 325_000, after: 50 * 325_000 },
      models: [
        { model: CHEAP, before: 20, after: 50 },
        { model: DEAR, before: 30, after: 0 },
      ],
      moved: [{ from: DEAR, to: CHEAP, requests: 30 }],
    });
    expect(Object.values(asObject(result["left"]))).toEqual([1]);
    const again = JSON.parse(await cli("replay", "--policy", policy, "--json")) as JsonObject;
    expect({ ...again, since: "" }).toEqual({ ...result, since: "" });
    expect(asArray(result["models"])).toHaveLength(2);
    const text = await cli("replay", "--policy", policy);
    expect(text).toMatch(/^cost +\$0\.246500 +\$0\.016250 +-93\.4 % +50$/m);
    expect(text).toMatch(/gpt-5\.5 → gpt-5\.4-nano +30/);
  });
});
