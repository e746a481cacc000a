import type { KeySettings, PolicyDocument } from "@turnpike/contract/governance.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { asObject, asObjects, type JsonObject } from "#lib/json.ts";
import { openStore, type Store } from "#store/store.ts";
import { json, status } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import { tenancyOf, type Tenancy } from "#test/tenancy.ts";

let gateway: TestGateway;
let store: Store;
let tenancy: Tenancy;

beforeAll(async () => {
  gateway = await startGateway();
  store = await openStore({ home: gateway.home });
  tenancy = tenancyOf(store, gateway.home);
});
afterAll(async () => {
  await gateway.close();
  await store.close();
});
beforeEach(() => {
  gateway.upstream.requests.length = 0;
  gateway.upstream.answer(json(COMPLETION));
});

const COMPLETION: JsonObject = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
};

const MESSAGES = [{ role: "user", content: "hello" }];
const CHAT = { model: "openai/gpt-4o-mini", messages: MESSAGES };

interface Asking {
  post(path: string, body: JsonObject, headers?: Record<string, string>): Promise<Told>;
  get(path: string): Promise<Told>;
}

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
  /** The error's words, wherever the dialect puts them. */
  readonly message: string;
}

/** Asks with a key, as soon as the gateway knows it. */
async function withKey(key: string): Promise<Asking> {
  const auth = { authorization: `Bearer ${key}` };
  const ask = async (path: string, init: RequestInit = {}): Promise<Told> => {
    const response = await fetch(gateway.url + path, init);
    const { status: code, headers } = response;
    const text = await response.text();
    const body = asObject(text.startsWith("{") ? JSON.parse(text) : {});
    return { status: code, headers, body, message: String(asObject(body["error"])["message"]) };
  };
  await expect
    .poll(async () => (await ask("/v1/models", { headers: auth })).status, { timeout: 3_000 })
    .not.toBe(401);
  return {
    get: (path) => ask(path, { headers: auth }),
    post: (path, body, headers) =>
      ask(path, {
        method: "POST",
        headers: { ...auth, "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
  };
}

/** A key of a project of its own, under policies of its organization and its project. */
async function governed(
  organization: PolicyDocument,
  { project = {}, settings = {} }: { project?: PolicyDocument; settings?: KeySettings } = {},
): Promise<Asking & { readonly organizationId: string; readonly projectId: string }> {
  const organizationId = await tenancy.organization();
  const projectId = await tenancy.project(organizationId, await tenancy.team(organizationId));
  await tenancy.policy("organization", organizationId, organization);
  await tenancy.policy("project", projectId, project);
  const { key } = await tenancy.key({ organizationId, projectId, settings });
  return { ...(await withKey(key)), organizationId, projectId };
}

const SHOULD_RETRY = "x-should-retry";

describe("models and providers", () => {
  test("what no level forbids is answered, the rest is a 403 that names rule and level", async () => {
    const asking = await governed(
      { models: { allow: ["gpt-*", "claude-*"] } },
      { project: { models: { deny: ["gpt-4o"] } } },
    );
    expect((await asking.post("/v1/chat/completions", CHAT)).status).toBe(200);
    const denied = await asking.post("/v1/chat/completions", { ...CHAT, model: "gpt-4o" });
    expect(denied.status).toBe(403);
    expect(denied.headers.get(SHOULD_RETRY)).toBe("false");
    expect(asObject(denied.body["error"])["code"]).toBe("policy_denied");
    expect(denied.message).toContain(`denied by the policy of project ${asking.projectId}`);
    const other = await asking.post("/v1/chat/completions", { ...CHAT, model: "gemini-2.5-flash" });
    expect(other.status).toBe(403);
    expect(other.message).toContain(`by the policy of organization ${asking.organizationId}`);
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("every dialect and operation is refused in its own words, streamed or not", async () => {
    const asking = await governed({ providers: { allow: ["groq"] } });
    const refused: readonly (readonly [string, JsonObject])[] = [
      ["/v1/chat/completions", CHAT],
      ["/v1/chat/completions", { ...CHAT, stream: true }],
      ["/v1/responses", { model: "openai/gpt-4o-mini", input: "hello" }],
      ["/v1/messages", { ...CHAT, model: "anthropic/claude-haiku-4-5", max_tokens: 9 }],
      ["/v1/messages/count_tokens", { ...CHAT, model: "anthropic/claude-haiku-4-5" }],
      ["/v1/embeddings", { model: "openai/text-embedding-3-small", input: "hello" }],
      ["/v1/moderations", { input: "hello" }],
      [
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        { contents: [{ role: "user", parts: [{ text: "hello" }] }] },
      ],
    ];
    for (const [path, body] of refused) {
      const told = await asking.post(path, body);
      expect([path, told.status, told.message]).toEqual([
        path,
        403,
        expect.stringMatching(/its provider is not allowed by the policy of organization/),
      ]);
    }
    expect(gateway.upstream.requests).toEqual([]);
  });

  test("no fallback, preference, group or auto leads around it", async () => {
    const asking = await governed({ providers: { deny: ["openai", "vercel"] } });
    gateway.upstream.answer(status(500, {}));
    const chat = "/v1/chat/completions";
    const tries = [
      { ...CHAT, models: ["gpt-4o", "openai/gpt-4o"] },
      { ...CHAT, model: "auto", provider: { only: ["openai"] } },
      { ...CHAT, model: "groq/openai/gpt-oss-120b", models: ["openai/gpt-4o-mini"] },
      { ...CHAT, model: "auto" },
    ];
    const statuses = [];
    for (const body of tries) statuses.push((await asking.post(chat, body)).status);
    // The second leaves models of other providers, but its own `only` excludes those.
    expect(statuses.slice(0, 2)).toEqual([403, 403]);
    const { message } = await asking.post(chat, tries[1] ?? {});
    expect(message).toMatch(
      new RegExp(`provider is denied by the policy of organization ${asking.organizationId}`),
    );
    const paths = gateway.upstream.requests.map(({ path }) => path.split("/")[1]);
    expect(paths).not.toContain("openai");
    expect(paths).not.toContain("vercel");
    expect(paths.length).toBeGreaterThan(2);
  });

  test("POST /v1/route explains it, and GET /v1/models shows only what may be used", async () => {
    const asking = await governed({
      models: { allow: ["claude-*"] },
      providers: { deny: ["bedrock"] },
    });
    const explain = (model: string): Promise<Told> => asking.post("/v1/route", { ...CHAT, model });
    const { body } = await explain("claude-haiku-4-5");
    const providers = asObjects(body["candidates"]).map(({ provider }) => provider);
    expect(providers).toContain("anthropic");
    expect(providers).not.toContain("bedrock");
    expect(JSON.stringify(body["rejected"])).toMatch(/provider is denied by the policy of org/);
    expect((await explain("gpt-4o-mini")).status).toBe(403);
    const list = await asking.get("/v1/models");
    const ids = asObjects(list.body["data"]).map(({ id }) => String(id));
    expect(ids).toContain("claude-haiku-4-5");
    expect(ids.filter((id) => !/^(?:claude-|auto)/.test(id))).toEqual([]);
    expect((await asking.get("/v1/models/gpt-4o-mini")).status).toBe(404);
    const all = asObjects(asObject(await (await gateway.get("/v1/models")).json())["data"]);
    expect(all.length).toBeGreaterThan(ids.length);
  });

  test("retention, training, regions and prices hold as bounds of every plan", async () => {
    const asks: readonly (readonly [PolicyDocument, RegExp])[] = [
      [{ zeroRetention: true }, /no documented zero retention \(wanted by the policy of org/],
      [{ regions: ["eu"] }, /the policy of organization \S+ allows eu only/],
      [{ maxInputUsdPerMillion: "0.01" }, /input is dearer than the policy of organization/],
      [{ maxOutputUsdPerMillion: 0.1 }, /output is dearer/],
      [{ maxRequestUsd: "0.000000001" }, /it would cost more than the policy of organization/],
    ];
    for (const [document, words] of asks) {
      const asking = await governed(document);
      const told = await asking.post("/v1/chat/completions", CHAT);
      expect([told.status, told.message]).toEqual([403, expect.stringMatching(words)]);
    }
    expect(gateway.upstream.requests).toEqual([]);
  });

  test("maxRequestUsd holds against the worst case: output is cut, dearer routes are left out", async () => {
    const chat = "/v1/chat/completions";
    // 150 and 600 nano-USD a token: about 40 tokens of input at most, and a thousand of output.
    const asking = await governed({ maxRequestUsd: "0.000606" });
    const cut = await asking.post(chat, CHAT);
    const clamped = Number(cut.headers.get("x-turnpike-budget-clamped"));
    expect([cut.status, clamped > 950 && clamped <= 1_010]).toEqual([200, true]);
    const sent = (): unknown => gateway.upstream.requests.at(-1)?.body["max_completion_tokens"];
    expect(sent()).toBe(clamped);
    const short = await asking.post(chat, { ...CHAT, max_tokens: 300 });
    expect([short.headers.get("x-turnpike-budget-clamped"), sent()]).toEqual([null, 300]);
    // Two answers may each have half of it.
    await asking.post(chat, { ...CHAT, n: 2 });
    expect(sent()).toBe(Math.floor(clamped / 2));

    gateway.upstream.requests.length = 0;
    gateway.upstream.answer(status(500, {}));
    const failed = await asking.post(chat, { ...CHAT, models: ["openai/gpt-4o"], max_tokens: 900 });
    expect(failed.status).toBeGreaterThanOrEqual(500);
    const models = gateway.upstream.requests.map(({ body }) => body["model"]);
    expect(new Set(models)).toEqual(new Set(["gpt-4o-mini"]));
  });

  test("what maxRequestUsd pays no useful answer of is refused, in each dialect", async () => {
    const asking = await governed({ maxRequestUsd: "0.00001" });
    const chat = await asking.post("/v1/chat/completions", { ...CHAT, max_tokens: 10 });
    const claude = await asking.post("/v1/messages", { ...CHAT, max_tokens: 10 });
    for (const { status: code, message } of [chat, claude]) {
      expect(code).toBe(403);
      expect(message).toMatch(
        new RegExp(
          `At worst this request costs more than the policy of organization ${asking.organizationId} allows \\(maxRequestUsd 0.00001\\)`,
        ),
      );
    }
    expect(asObject(claude.body["error"])["type"]).toBe("permission_error");
    expect(gateway.upstream.requests).toEqual([]);
  });

  test("a task rule names the model of auto", async () => {
    const asking = await governed({ tasks: { "code-writing": "openai/gpt-4o-mini" } });
    const told = await asking.post("/v1/chat/completions", {
      model: "auto",
      messages: [{ role: "user", content: "Write a Python function that sorts a list of dates." }],
    });
    expect(told.headers.get("x-turnpike-route-reason")).toBe("task:code-writing");
    expect(told.headers.get("x-turnpike-model")).toBe("gpt-4o-mini");
  });

  test("the policy's preference takes the place of the request's", async () => {
    const asking = await governed({ preference: "cheap" });
    const route = async (preference: string): Promise<unknown> =>
      (await asking.post("/v1/route", { model: "auto", messages: MESSAGES, route: { preference } }))
        .body["preference"];
    expect(await route("best")).toBe("cheap");
  });
});

describe("capabilities", () => {
  const FUNCTION = { type: "function", function: { name: "f", parameters: { type: "object" } } };
  const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const claude = { model: "anthropic/claude-haiku-4-5", messages: MESSAGES, max_tokens: 9 };
  const gemini = "/v1beta/models/gemini-2.5-flash:generateContent";
  const contents = [{ role: "user", parts: [{ text: "hello" }] }];

  const USES: readonly (readonly [string, string, JsonObject])[] = [
    ["web-search", "/v1/chat/completions", { ...CHAT, web_search_options: {} }],
    ["web-search", "/v1/chat/completions", { ...CHAT, plugins: [{ id: "web" }] }],
    ["web-search", "/v1/chat/completions", { ...CHAT, enable_search: true }],
    [
      "web-search",
      "/v1/responses",
      { model: "gpt-4o-mini", input: "hello", tools: [{ type: "web_search" }], stream: true },
    ],
    [
      "web-search",
      "/v1/messages",
      { ...claude, tools: [{ type: "web_search_20250305", name: "web_search" }] },
    ],
    [
      "web-search",
      "/v1/messages",
      { ...claude, tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] },
    ],
    ["web-search", gemini, { contents, tools: [{ googleSearch: {} }] }],
    ["web-search", gemini, { contents, tools: [{ google_search: {} }] }],
    ["web-search", gemini, { contents, tools: [{ urlContext: {} }] }],
    ["code-execution", gemini, { contents, tools: [{ codeExecution: {} }] }],
    [
      "code-execution",
      "/v1/responses",
      { model: "gpt-4o-mini", input: "x", tools: [{ type: "code_interpreter", container: {} }] },
    ],
    [
      "server-tools",
      "/v1/responses",
      { model: "gpt-4o-mini", input: "x", tools: [{ type: "mcp", server_label: "x" }] },
    ],
    [
      "server-tools",
      "/v1/messages",
      { ...claude, mcp_servers: [{ type: "url", url: "https://x" }] },
    ],
    ["tools", "/v1/chat/completions", { ...CHAT, tools: [FUNCTION] }],
    ["tools", "/v1/messages", { ...claude, tools: [{ name: "f", input_schema: {} }] }],
    [
      "images",
      "/v1/chat/completions",
      { ...CHAT, messages: [{ role: "user", content: [IMAGE] }], stream: true },
    ],
    ["images", "/v1/moderations", { model: "omni-moderation-latest", input: [IMAGE] }],
    [
      "images",
      "/v1/responses",
      { model: "gpt-4o-mini", input: "x", tools: [{ type: "image_generation" }] },
    ],
    ["audio", "/v1/chat/completions", { ...CHAT, modalities: ["text", "audio"] }],
    [
      "files",
      "/v1/messages",
      {
        ...claude,
        messages: [
          {
            role: "user",
            content: [
              {
                type: "document",
                source: { type: "base64", media_type: "application/pdf", data: "AA==" },
              },
            ],
          },
        ],
      },
    ],
    ["store", "/v1/responses", { model: "gpt-4o-mini", input: "hello", store: true }],
    ["store", "/v1/chat/completions", { ...CHAT, store: true }],
  ];

  test("each is refused in every dialect that can ask for it, before a provider hears of it", async () => {
    const askings = new Map<string, Asking>();
    for (const [capability, path, body] of USES) {
      const asking =
        askings.get(capability) ??
        (await governed({ deniedCapabilities: [capability as "tools"] }));
      askings.set(capability, asking);
      const told = await asking.post(path, body);
      expect([capability, JSON.stringify(body), told.status, told.message]).toEqual([
        capability,
        JSON.stringify(body),
        403,
        expect.stringContaining(`uses "${capability}", which the policy of organization`),
      ]);
    }
    expect(gateway.upstream.requests).toEqual([]);
    const asking = askings.get("web-search");
    expect((await asking?.post("/v1/chat/completions", CHAT))?.status).toBe(200);
  });

  test("where nothing may be stored, the provider is told so", async () => {
    const asking = await governed({ deniedCapabilities: ["store"] });
    await asking.post("/v1/responses", { model: "openai/gpt-4o-mini", input: "hello" });
    expect(gateway.upstream.requests.at(-1)?.body).toMatchObject({ store: false });
  });
});

describe("a key's own settings", () => {
  test("bound its operations, addresses, endpoints and models", async () => {
    const forbidden = async (settings: KeySettings, path: string, body: JsonObject) => {
      const told = await (await governed({}, { settings })).post(path, body);
      return [told.status, told.message];
    };
    const chat = "/v1/chat/completions";
    expect(await forbidden({ operations: ["embeddings"] }, chat, CHAT)).toEqual([
      403,
      expect.stringMatching(/may not be used for chat: its settings allow embeddings/),
    ]);
    expect(await forbidden({ models: ["claude-*"] }, chat, CHAT)).toEqual([
      403,
      expect.stringMatching(/its model is not allowed by the settings of the key/),
    ]);
    expect(await forbidden({ endpoints: ["*/gpt-4o-mini@other"] }, chat, CHAT)).toEqual([
      403,
      expect.stringMatching(/no endpoint that the settings of the key allow/),
    ]);
    expect(await forbidden({ ipRanges: ["203.0.113.0/24"] }, chat, CHAT)).toEqual([
      403,
      expect.stringMatching(/may not be used from 127\.0\.0\.1.*ipRanges/),
    ]);
  });

  test("nobody gets around an address by a header, unless the operator trusts its proxy", async () => {
    const settings = { ipRanges: ["203.0.113.0/24"] };
    const asking = await governed({}, { settings });
    const forged = { "x-forwarded-for": "203.0.113.9" };
    expect((await asking.post("/v1/chat/completions", CHAT, forged)).status).toBe(403);
  });

  test("hold for the address that a trusted proxy tells, and for no other's word", async () => {
    const proxied = await startGateway({
      configText: "server: { trustedProxies: [127.0.0.1] }\n",
    });
    const { home } = proxied;
    const own = await openStore({ home });
    const { key } = await tenancyOf(own, home).key({ settings: { ipRanges: ["203.0.113.0/24"] } });
    const from = async (forwarded: string): Promise<number> =>
      (
        await fetch(`${proxied.url}/v1/key`, {
          headers: { "x-api-key": key, "x-forwarded-for": forwarded },
        })
      ).status;
    await expect.poll(() => from("203.0.113.9"), { timeout: 3_000 }).toBe(200);
    expect(await from("198.51.100.1")).toBe(403);
    // The client's own claim stands before what the proxy saw.
    expect(await from("203.0.113.9, 198.51.100.1")).toBe(403);
    await own.close();
    await proxied.close();
  });

  test("name the model where a request does not", async () => {
    const asking = await governed({}, { settings: { routing: { model: "openai/gpt-4o-mini" } } });
    for (const body of [{ messages: MESSAGES }, { model: "", messages: MESSAGES }]) {
      const told = await asking.post("/v1/chat/completions", body);
      expect(told.status).toBe(200);
      expect(gateway.upstream.requests.at(-1)?.body["model"]).toBe("gpt-4o-mini");
    }
  });
});

describe("the free plan", () => {
  test("has only what costs nothing, the demo among it", async () => {
    const organizationId = await tenancy.organization("free");
    const projectId = await tenancy.project(organizationId);
    const { key } = await tenancy.key({ organizationId, projectId });
    const asking = await withKey(key);
    const told = await asking.post("/v1/chat/completions", CHAT);
    expect([told.status, told.message]).toEqual([
      403,
      expect.stringMatching(/costs money, which the plan of the organization excludes/),
    ]);
    const demo = await asking.post("/v1/chat/completions", { ...CHAT, model: "demo/echo" });
    expect(demo.status).toBe(200);
    const { body } = await asking.post("/v1/route", { ...CHAT, model: "auto" });
    const candidates = asObjects(body["candidates"]);
    expect(candidates.length).toBeGreaterThan(0);
    expect(
      candidates.filter(({ provider, cost_usd: cost }) => provider !== "demo" && cost !== 0),
    ).toEqual([]);
    expect(gateway.upstream.requests).toEqual([]);
  });
});
