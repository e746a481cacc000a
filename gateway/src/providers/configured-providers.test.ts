import { describe, expect, test } from "vitest";

import { buildUrl } from "./build-url.ts";
import { configureProvider, discoverProviders } from "./configured-providers.ts";
import type { ConfiguredProvider, DiscoverOptions } from "./configured-providers.ts";
import type { Environment, Speech } from "./provider.ts";

function discovered(env: Environment, options?: DiscoverOptions): readonly ConfiguredProvider[] {
  return discoverProviders(env, options).filter(({ provider }) => provider.local !== true);
}

function only(env: Environment, options?: DiscoverOptions): ConfiguredProvider {
  const providers = discovered(env, options);
  expect(providers.map(({ id }) => id)).toHaveLength(1);
  return providers[0]!;
}

function urlOf(configured: ConfiguredProvider, protocol: Speech["protocol"]): URL {
  const speech = configured.provider.speaks.find((candidate) => candidate.protocol === protocol);
  if (speech === undefined) throw new Error(`${configured.id} does not speak ${protocol}`);
  const { variables } = configured;
  return buildUrl(configured.provider, speech, { model: "model", stream: false, variables });
}

const authorize = (configured: ConfiguredProvider, url: URL) =>
  configured.authorize({ method: "POST", url, body: Buffer.from("{}") });

describe("discoverProviders", () => {
  test("finds nobody but local servers in an empty environment", () => {
    const found = discoverProviders({});
    expect(found.map(({ id }) => id)).toEqual(["lmstudio", "ollama", "vllm"]);
    for (const { credentialId, id, privateAddressAllowed } of found) {
      expect(credentialId).toBe(`none:${id}`);
      expect(privateAddressAllowed).toBe(true);
    }
  });

  test("passes over blank keys", () => {
    expect(discovered({ OPENAI_API_KEY: "", GROQ_API_KEY: "  " })).toEqual([]);
  });

  test("finds providers by id, each with the variable that was found", async () => {
    const found = discovered({ OPENAI_API_KEY: "sk-1", ANTHROPIC_API_KEY: "sk-2" });
    expect(found.map(({ id, credentialId }) => [id, credentialId])).toEqual([
      ["anthropic", "env:ANTHROPIC_API_KEY"],
      ["openai", "env:OPENAI_API_KEY"],
    ]);
    const [, openai] = found;
    const url = urlOf(openai!, "openai-chat");
    expect(url.href).toBe("https://api.openai.com/v1/chat/completions");
    expect(await authorize(openai!, url)).toEqual({ authorization: "Bearer sk-1" });
    expect(openai!.privateAddressAllowed).toBe(false);
  });

  test("never gives a key to another origin", () => {
    const openai = only({ OPENAI_API_KEY: "sk-1" });
    expect([...openai.origins]).toEqual(["https://api.openai.com"]);
    expect(() => authorize(openai, new URL("https://api.anthropic.com/v1/messages"))).toThrow(
      /does not belong/,
    );
  });

  test("wants the variables that have no default", () => {
    expect(discovered({ AZURE_API_KEY: "k" })).toEqual([]);
    expect(discovered({ AWS_BEARER_TOKEN_BEDROCK: "k" })).toEqual([]);
    expect(discovered({ CLOUDFLARE_API_TOKEN: "k", CLOUDFLARE_ACCOUNT_ID: "" })).toEqual([]);
    const bedrock = only({ AWS_BEARER_TOKEN_BEDROCK: "k", AWS_REGION: "eu-west-1" });
    expect(urlOf(bedrock, "bedrock-converse").href).toBe(
      "https://bedrock-runtime.eu-west-1.amazonaws.com/model/model/converse",
    );
  });

  test("prefers Bedrock's bearer to access keys", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s", AWS_REGION: "us-east-1" };
    const bearer = only({ ...keys, AWS_BEARER_TOKEN_BEDROCK: "b" });
    const url = urlOf(bearer, "bedrock-converse");
    expect(await authorize(bearer, url)).toEqual({ authorization: "Bearer b" });
    const signed = only(keys);
    expect(signed.credentialId).toBe("env:AWS_ACCESS_KEY_ID");
    const headers = await authorize(signed, url);
    expect(headers["authorization"]).toMatch(/^AWS4-HMAC-SHA256 .*us-east-1\/bedrock/);
  });

  test("takes defaults of variables", () => {
    expect([...only({ DASHSCOPE_API_KEY: "k" }).origins]).toEqual([
      "https://dashscope-intl.aliyuncs.com",
    ]);
    expect([...only({ DASHSCOPE_API_KEY: "k", DASHSCOPE_REGION: "us" }).origins]).toEqual([
      "https://dashscope-us.aliyuncs.com",
    ]);
  });

  test("refuses a variable that would lead elsewhere, naming it", () => {
    const env = { AZURE_API_KEY: "k", AZURE_RESOURCE_NAME: "evil.example/" };
    expect(() => discoverProviders(env)).toThrow(/AZURE_RESOURCE_NAME/);
  });

  test("knows all origins of a provider with several surfaces", () => {
    const azure = only({ AZURE_API_KEY: "k", AZURE_RESOURCE_NAME: "mine" });
    expect([...azure.origins].toSorted()).toEqual([
      "https://mine.openai.azure.com",
      "https://mine.services.ai.azure.com",
    ]);
    expect(urlOf(azure, "anthropic-messages").href).toBe(
      "https://mine.services.ai.azure.com/anthropic/v1/messages",
    );
  });

  test("finds Vertex by project and location", () => {
    const vertex = only({ GOOGLE_VERTEX_PROJECT: "p1", GOOGLE_VERTEX_LOCATION: "europe-west4" });
    expect([...vertex.origins]).toEqual(["https://europe-west4-aiplatform.googleapis.com"]);
    expect(vertex.variables).toEqual({ project: "p1", location: "europe-west4" });
  });
});

describe("discoverProviders with a base URL", () => {
  test.each([
    ["https://proxy.example/openai/v1", "https://proxy.example/openai/v1/chat/completions"],
    ["http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"],
  ])("goes to OPENAI_BASE_URL %s", async (baseUrl, expected) => {
    const openai = only({ OPENAI_API_KEY: "k", OPENAI_BASE_URL: baseUrl });
    const url = urlOf(openai, "openai-chat");
    expect(url.href).toBe(expected);
    expect([...openai.origins]).toEqual([url.origin]);
    expect(openai.privateAddressAllowed).toBe(true);
    expect(await authorize(openai, url)).toEqual({ authorization: "Bearer k" });
    expect(() => authorize(openai, new URL("https://api.openai.com/v1/models"))).toThrow();
  });

  test.each(["https://proxy.example", "https://proxy.example/v1", "https://proxy.example/v1/"])(
    "reads ANTHROPIC_BASE_URL %s as its SDKs do",
    (baseUrl) => {
      const anthropic = only({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: baseUrl });
      expect(urlOf(anthropic, "anthropic-messages").href).toBe("https://proxy.example/v1/messages");
    },
  );

  test("drops the surfaces that lie elsewhere", () => {
    const zai = only({ ZAI_API_KEY: "k", ZAI_BASE_URL: "https://api.z.ai/api/coding/paas/v4" });
    expect(zai.provider.speaks.map(({ protocol }) => protocol)).toEqual(["openai-chat"]);
  });

  test("needs no resource where AZURE_OPENAI_ENDPOINT names the host", () => {
    const azure = only({
      AZURE_OPENAI_API_KEY: "k",
      AZURE_OPENAI_ENDPOINT: "https://mine.cognitiveservices.azure.com/",
    });
    expect(urlOf(azure, "openai-responses").href).toBe(
      "https://mine.cognitiveservices.azure.com/openai/v1/responses",
    );
    expect([...azure.origins]).toEqual(["https://mine.cognitiveservices.azure.com"]);
  });

  test("passes over a base URL that is the gateway itself", () => {
    const env = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://localhost:4000/v1" };
    const openai = only(env, { ownOrigins: ["http://localhost:4000"] });
    expect([...openai.origins]).toEqual(["https://api.openai.com"]);
  });

  test("refuses a base URL that would send the key in the clear", () => {
    const env = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://proxy.example/v1" };
    expect(() => discoverProviders(env)).toThrow(/OPENAI_BASE_URL must begin with https/);
  });
});

describe("configureProvider", () => {
  test("gives a known provider another key, with a name of its own", async () => {
    const azure = configureProvider("azure", {
      secret: "k",
      name: "eu",
      variables: { resource: "mine-eu" },
    });
    expect(azure.credentialId).toBe("config:azure/eu");
    const url = urlOf(azure, "openai-chat");
    expect(url.href).toBe("https://mine-eu.openai.azure.com/openai/v1/chat/completions");
    expect(await authorize(azure, url)).toEqual({ "api-key": "k" });
  });

  test("takes what it leaves out from the environment", () => {
    const env = { AWS_BEARER_TOKEN_BEDROCK: "b", AWS_REGION: "us-west-2" };
    const bedrock = configureProvider("bedrock", { variables: { region: "eu-west-1" } }, { env });
    expect(bedrock.credentialId).toBe("env:AWS_BEARER_TOKEN_BEDROCK");
    expect(bedrock.variables).toEqual({ region: "eu-west-1" });
  });

  test("adds any server that is compatible with OpenAI", async () => {
    const mine = configureProvider("my-gpu", { baseUrl: "http://gpu:8000/v1", secret: "k" });
    const url = urlOf(mine, "openai-chat");
    expect(url.href).toBe("http://gpu:8000/v1/chat/completions");
    expect(mine.credentialId).toBe("config:my-gpu");
    expect(mine.privateAddressAllowed).toBe(true);
    expect(await authorize(mine, url)).toEqual({ authorization: "Bearer k" });
  });

  test("adds any server that is compatible with Anthropic", async () => {
    const mine = configureProvider("my-claude", {
      baseUrl: "https://claude.example/v1",
      compatible: "anthropic-messages",
      secret: "k",
    });
    const url = urlOf(mine, "anthropic-messages");
    expect(url.href).toBe("https://claude.example/v1/messages");
    expect(await authorize(mine, url)).toEqual({ "x-api-key": "k" });
  });

  test("asks servers of one's own for no key", async () => {
    const mine = configureProvider("my-gpu", { baseUrl: "http://gpu:8000/v1" });
    expect(mine.credentialId).toBe("none:my-gpu");
    expect(await authorize(mine, urlOf(mine, "openai-chat"))).toEqual({});
  });

  test.each([
    ["openai", {}, "secret"],
    ["openai", { secret: "a\nb" }, "secret"],
    ["openai", { secret: "" }, "secret"],
    ["openai", { secret: "k", compatible: "openai-chat" }, "compatible"],
    ["openai", { secret: "k", baseUrl: "no url" }, "baseUrl"],
    ["openai", { secret: "k", baseUrl: "" }, "baseUrl"],
    ["azure", { secret: "k" }, "variables"],
    ["azure", { secret: "k", variables: { resource: "a/b" } }, "resource"],
    ["vertex", { secret: "k", variables: { project: "p" } }, "secret"],
    ["my-gpu", { secret: "k" }, "baseUrl"],
    ["My GPU", { baseUrl: "https://gpu.example" }, "id"],
    ["constructor", {}, "baseUrl"],
  ] as const)("refuses %s with %j, naming %s", (id, settings, field) => {
    expect(() => configureProvider(id, settings)).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({ code: "invalid_request", field }),
      }),
    );
  });
});
