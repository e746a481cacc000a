import { setTimeout as sleep } from "node:timers/promises";

import type { Guardrail } from "@turnpike/contract/governance.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createKey } from "#governance/create-key.ts";
import { GEMINI_VERBS, INFERENCE_ROUTES } from "#http/ingress/inference.ts";
import { asArray, asObject, asObjects } from "#lib/json.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { openStore } from "#store/store.ts";
import { json, status, type Script } from "#test/fake-upstream.ts";
import { provider, type Said } from "#test/guardrails/answers.ts";
import { asksOf, geminiAsksOf, type Ask } from "#test/guardrails/asks.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

/*
 * Every guardrail × every operation × dialect × provider's protocol × streamed or not, from the
 * table of routes: LiteLLM's guardrails were skipped for one spelling of an operation.
 */

const ASKS: readonly Ask[] = [
  ...INFERENCE_ROUTES.flatMap(asksOf),
  ...[...GEMINI_VERBS].flatMap(([verb, operation]) => geminiAsksOf(verb, operation)),
];

const EMAIL = "ada.lovelace@example.org";
const WORD = "Xanadu";
const HOOK = "/hook";

const GUARDRAILS = {
  "redact-request": { kind: "pii", action: "redact", on: "request" },
  "block-request": { kind: "pii", action: "block", on: "request", types: ["email"] },
  "keywords-request": { kind: "keywords", words: [WORD], on: "request" },
  "length-request": { kind: "max-length", characters: 20, on: "request" },
  "hook-request": hook("request"),
  "redact-answer": { kind: "pii", action: "redact", on: "answer" },
  "block-answer": { kind: "pii", action: "block", on: "answer" },
  "keywords-answer": { kind: "keywords", words: [WORD], on: "answer" },
  "length-answer": { kind: "max-length", characters: 5, on: "answer" },
  "schema-answer": {
    kind: "json-schema",
    schema: { type: "object", required: ["a"], properties: { a: { type: "integer" } } },
  },
  "hook-answer": hook("answer"),
  "open-hook": { ...hook("both"), onFailure: "open" },
} as const satisfies Readonly<Record<string, Guardrail>>;
type GuardrailName = keyof typeof GUARDRAILS;

function hook(on: "request" | "answer" | "both") {
  // The origin is the fake provider's, put in when it is known.
  return { kind: "http", url: "http://hook", on, timeoutMs: 1_000, onFailure: "closed" } as const;
}

let gateway: TestGateway;
const keys = new Map<string, string>();

beforeAll(async () => {
  gateway = await startGateway();
  const store = await openStore({ home: gateway.home });
  const { keyPepper } = loadMasterKey(gateway.home, undefined);
  for (const [name, guardrail] of Object.entries(GUARDRAILS)) {
    const { key, stored } = await createKey(store.core, keyPepper, { name, now: Date.now() });
    keys.set(name, key);
    const placed =
      guardrail.kind === "http" ? { ...guardrail, url: gateway.upstream.origin + HOOK } : guardrail;
    await changeDirectory(store.core, (transaction, version) =>
      transaction
        .insertInto("policies")
        .values({
          id: `pol_${name}`,
          organization_id: "org_default",
          level: "key",
          target_id: stored.id,
          document: JSON.stringify({ guardrails: [placed] }),
          created_at: 0,
          updated_at: 0,
          deleted_at: null,
          version,
        })
        .execute(),
    );
  }
  await store.close();
  // Gateways look at the directory twice a second.
  await sleep(1_200);
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.upstream.requests.length = 0;
});

const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly record: Readonly<Record<string, unknown>>;
}

async function ask(one: Ask, guardrail: GuardrailName, text: string): Promise<Outcome> {
  const headers = as(keys.get(guardrail) ?? "");
  const response = await gateway.post(one.path, one.body(text), headers);
  const answer = await response.text();
  const id = response.headers.get("x-request-id") ?? "";
  const found = await gateway.get(`/v1/generations/${id}`, headers);
  return {
    status: response.status,
    text: answer,
    headers: response.headers,
    record: asObject(asObject(await found.json())["data"]),
  };
}

const sent = (): readonly string[] =>
  gateway.upstream.requests.filter(({ path }) => path !== HOOK).map(({ text }) => text);

/** Providers and a hook behind one origin. */
const scripts =
  (said: Said, hookScript?: Script): Script =>
  (request, response) =>
    (request.path === HOOK ? (hookScript ?? json({ action: "allow" })) : provider(said))(
      request,
      response,
    );

const FINE: Said = { text: "All is well." };
const TELLS: Said = { text: `Write to ${EMAIL}, she knows.`, argument: EMAIL };

/** Stopped before anything was sent: an error with a status, or the end of a stream that has begun. */
function expectBlocked(one: Ask, outcome: Outcome): void {
  expect(outcome.text).toMatch(/guardrail/);
  expect(outcome.record).toMatchObject({ failure: "guardrail_blocked" });
  expect(outcome.text).not.toContain("[DONE]");
  if (outcome.status === 200) expect(one.streamed).toBe(true);
  else {
    expect(outcome.status).toBe(400);
    expect(outcome.headers.get("x-should-retry")).toBe("false");
  }
}

const saysText = ({ operation }: Ask): boolean => operation === "chat";

test("the table covers every operation and dialect", () => {
  expect(new Set(ASKS.map(({ operation }) => operation)).size).toBe(5);
  expect(new Set(ASKS.map(({ protocol }) => protocol)).size).toBe(5);
  expect(ASKS.length).toBeGreaterThanOrEqual(25);
});

describe.each(ASKS.map((one) => [one.name, one] as const))("%s", (_name, one) => {
  test("lets through what no guardrail minds", async () => {
    gateway.upstream.answer(scripts(FINE));
    const outcome = await ask(one, "redact-request", "hello there");
    expect(outcome.status).toBe(200);
    if (saysText(one)) expect(outcome.text.length).toBeGreaterThan(0);
  });

  test("redacts the request wherever text stands, before it goes out", async () => {
    gateway.upstream.answer(scripts(FINE));
    const { status: code } = await ask(one, "redact-request", `mail ${EMAIL} please`);
    expect(code).toBe(200);
    for (const text of sent()) {
      expect(text).not.toContain(EMAIL);
      expect(text).toContain("[email]");
    }
    expect(sent().length > 0 || one.operation === "count-tokens").toBe(true);
  });

  test.each(["block-request", "keywords-request", "length-request", "hook-request"] as const)(
    "is stopped by %s before a provider sees it",
    async (guardrail) => {
      gateway.upstream.answer(scripts(FINE, json({ action: "block", reason: "not today" })));
      const outcome = await ask(one, guardrail, `mail ${EMAIL} about ${WORD}`);
      expectBlocked(one, outcome);
      expect(outcome.status).toBe(400);
      expect(outcome.text).not.toContain(EMAIL);
      expect(sent()).toEqual([]);
    },
  );

  test("a hook's own words take the place of the request's", async () => {
    const hooked: Script = (request, response) => {
      const parts = asObjects(request.body["parts"]).map(({ text }) =>
        String(text).replaceAll(EMAIL, "somebody"),
      );
      return json({ action: "redact", parts })(request, response);
    };
    gateway.upstream.answer(scripts(FINE, hooked));
    const { status: code } = await ask(one, "hook-request", `mail ${EMAIL} please`);
    expect(code).toBe(200);
    for (const text of sent()) {
      expect(text).not.toContain(EMAIL);
      expect(text).toContain("somebody");
    }
  });

  test("redacts the answer, however it is cut, and its tool calls stay JSON", async () => {
    gateway.upstream.answer(scripts(saysText(one) ? TELLS : FINE));
    const { text, status: code } = await ask(one, "redact-answer", "hello there");
    expect(code).toBe(200);
    expect(text).not.toContain(EMAIL);
    expect(joinedText(text)).not.toContain(EMAIL);
    if (saysText(one)) expect(joinedText(text)).toContain("[email]");
  });

  test.each(["block-answer", "keywords-answer", "length-answer", "schema-answer"] as const)(
    "its answer is stopped by %s, and paid for",
    async (guardrail) => {
      if (!saysText(one)) return;
      gateway.upstream.answer(scripts({ text: `Ask ${EMAIL} about ${WORD} and more.` }));
      const outcome = await ask(one, guardrail, "hello there");
      expectBlocked(one, outcome);
      expect(joinedText(outcome.text)).not.toContain(EMAIL);
      expect(joinedText(outcome.text)).not.toContain(WORD);
      expect(Number(outcome.record["cost_usd"])).toBeGreaterThan(0);
    },
  );

  test("an answer that obeys its schema passes", async () => {
    if (!saysText(one)) return;
    gateway.upstream.answer(scripts({ text: '{"a":1}' }));
    const { status: code, text, record } = await ask(one, "schema-answer", "hello there");
    expect(code).toBe(200);
    expect(record["failure"] ?? null).toBeNull();
    expect(joinedText(text)).toContain('{"a":1}');
  });

  test("its answer is shown to the hook, which stops it", async () => {
    gateway.upstream.answer(scripts(TELLS, json({ action: "block" })));
    const outcome = await ask(one, "hook-answer", "hello there");
    expectBlocked(one, outcome);
    expect(joinedText(outcome.text)).not.toContain(EMAIL);
    const asked = gateway.upstream.requests.find(({ path }) => path === HOOK);
    expect(asked?.body).toMatchObject({ phase: "answer", project: "proj_default" });
    if (saysText(one)) expect(asked?.text).toContain(EMAIL);
  });

  test("a hook that fails stops all, or nothing where the policy says so", async () => {
    gateway.upstream.answer(scripts(FINE, status(500, {})));
    const closed = await ask(one, "hook-request", "hello there");
    expect(closed.status).toBe(503);
    const open = await ask(one, "open-hook", "hello there");
    expect(open.status).toBe(200);
  });
});

/** The answer's text as a client puts it together, whatever the dialect. */
function joinedText(body: string): string {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of asArray(value)) visit(item);
    else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        if (typeof member === "string" && TEXT_NAMES.has(name)) found.push(member);
        else visit(member);
      }
    }
  };
  for (const piece of piecesOf(body)) visit(piece);
  return found.join("");
}

const TEXT_NAMES: ReadonlySet<string> = new Set([
  "content",
  "text",
  "delta",
  "partial_json",
  "arguments",
  "to",
]);

function piecesOf(body: string): readonly unknown[] {
  if (!body.includes("data: ")) return [parse(body)];
  return body
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => parse(line.slice(6)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
