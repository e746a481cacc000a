import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { describeCorpus, recordings } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";

import { buildUrl } from "./build-url.ts";
import type { OperationSpeech, Provider, Speech } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

const provider = (id: string): Provider => {
  const row = PROVIDERS[id];
  if (row === undefined) throw new Error(`no provider ${id}`);
  return row;
};

const VARIABLES: Record<string, Record<string, string>> = {
  vertex: { project: "my-project", location: "us-central1" },
  bedrock: { region: "eu-central-1" },
  azure: { resource: "my-resource" },
  google: {},
};

const MODEL_IN_URL = ["google", "vertex", "bedrock"];

const speechesWithModel = (id: string): readonly (Speech | OperationSpeech)[] =>
  [...provider(id).speaks, provider(id).embeddings]
    .filter((speech) => speech !== undefined)
    .filter((speech) => typeof speech.path === "function");

function attempt(id: string, speech: Pick<Speech, "path" | "baseUrl">, model: string): URL | Error {
  try {
    const variables = VARIABLES[id] ?? {};
    return buildUrl(provider(id), speech, { model, stream: false, variables });
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

const HOSTILE = [
  "",
  ".",
  "..",
  "../",
  "../../v1/files",
  "a/../b",
  "a/./b",
  "/a",
  "a/",
  "a//b",
  "%2e%2e",
  "%2F",
  "a%2Fb",
  "a#b",
  "a?b=c",
  "a\\..\\b",
  "a b",
  "a\nb",
  "a\tb",
  "a\u0000",
  "modèle",
  "模型",
  "a@evil.example/../..",
  "x".repeat(300),
  "a;b",
  "{project}",
];

describe.each(MODEL_IN_URL)("buildUrl for %s", (id) => {
  const speeches = speechesWithModel(id);

  test.each(HOSTILE)("refuses the model name %j", (model) => {
    expect(speeches.length).toBeGreaterThan(0);
    for (const speech of speeches) {
      const result = attempt(id, speech, model);
      expect(result).toBeInstanceOf(GatewayError);
      expect((result as GatewayError).failure).toMatchObject({
        code: "invalid_request",
        field: "model",
      });
    }
  });

  test("never leaves the path of a good model, whatever the name", () => {
    const good = speeches.map((speech) => attempt(id, speech, "good") as URL);
    const hostile = oneof(
      string({ unit: "binary", maxLength: 40 }),
      array(constantFrom("..", ".", "/", "%2F", "%2e", "#", "?", "\\", ":", "@", " ", "a"), {
        maxLength: 12,
      }).map((pieces) => pieces.join("")),
    );
    assert(
      property(hostile, (model) => {
        for (const [index, speech] of speeches.entries()) {
          const url = attempt(id, speech, model);
          if (url instanceof Error) continue;
          const [before, after] = (good[index] as URL).href.split("good") as [string, string];
          expect(url.href.startsWith(before) && url.href.endsWith(after)).toBe(true);
          const segment = url.href.slice(before.length, url.href.length - after.length);
          expect(segment).not.toMatch(/[/?#\\]/);
          expect(decodeURIComponent(segment)).toBe(model);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("buildUrl", () => {
  test("keeps an id with slashes and colons as one segment", () => {
    const arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-v1";
    const url = buildUrl(provider("bedrock"), provider("bedrock").speaks[0]!, {
      model: arn,
      stream: true,
      variables: { region: "us-east-1" },
    });
    expect(url.pathname).toBe(`/model/${encodeURIComponent(arn)}/converse-stream`);
  });

  test.each([
    ["global", "https://aiplatform.googleapis.com"],
    ["eu", "https://aiplatform.eu.rep.googleapis.com"],
    ["europe-west4", "https://europe-west4-aiplatform.googleapis.com"],
  ])("finds Vertex's host of the location %s", (location, origin) => {
    const url = buildUrl(provider("vertex"), provider("vertex").speaks[0]!, {
      model: "gemini-2.5-pro",
      stream: true,
      variables: { project: "p", location },
    });
    expect(url.href).toBe(
      `${origin}/v1beta1/projects/p/locations/${location}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse`,
    );
  });

  test.each(["evil.example/", "a@b", "..", "a..b", "a.", "-a", "a b", "a#", "x".repeat(101), ""])(
    "refuses the variable %j",
    (resource) => {
      const build = (): URL =>
        buildUrl(provider("azure"), provider("azure").speaks[1]!, {
          model: "m",
          stream: false,
          variables: { resource },
        });
      expect(build).toThrow(GatewayError);
    },
  );

  test("refuses a base URL whose variable is not set", () => {
    const build = (): URL =>
      buildUrl(provider("azure"), provider("azure").speaks[1]!, { model: "m", stream: false });
    expect(build).toThrow(/resource/);
  });

  test.each([
    "/../admin",
    "/%2e%2e/admin",
    "/a/./b",
    "/models/m\\..\\x",
    "/models/m\n",
    "/models/m#x",
    "@evil.example/",
    ".evil.example/",
    ":8443/v1",
  ])("refuses the path %j even from a row's own function", (path) => {
    const row = { baseUrl: "https://api.example.com" };
    const build = (): URL => buildUrl(row, { path: () => path }, { model: "good", stream: false });
    expect(build).toThrow(GatewayError);
  });

  test("takes any model name where the path does not depend on it", () => {
    const url = buildUrl(provider("openai"), provider("openai").speaks[0]!, {
      model: "../odd name#",
      stream: false,
    });
    expect(url.href).toBe("https://api.openai.com/v1/chat/completions");
  });

  test("goes to the operator's base URL", () => {
    const url = buildUrl(provider("zai"), provider("zai").speaks[0]!, {
      model: "glm-5",
      stream: false,
      baseUrlOverride: "https://api.z.ai/api/coding/paas/v4",
    });
    expect(url.href).toBe("https://api.z.ai/api/coding/paas/v4/chat/completions");
  });
});

const BY_CORPUS_NAME: Record<string, string> = {
  dashscope: "alibaba",
  gemini: "google",
  "vercel-gateway": "vercel",
};

const PROTOCOL_OF_ENDPOINT: Record<string, string> = {
  "openai.chat": "openai-chat",
  "openai.responses": "openai-responses",
  "anthropic.messages": "anthropic-messages",
  "anthropic.messages(vertex)": "anthropic-messages",
  "gemini.generateContent": "gemini",
  "gemini.streamGenerateContent": "gemini",
  "bedrock.converse": "bedrock-converse",
  "bedrock.converse-stream": "bedrock-converse",
  "cohere.v2.chat": "cohere",
};

/** Recorded addresses that are another surface than the row's, or were not recorded whole. */
const OTHER_SURFACES: readonly (readonly [RegExp, string])[] = [
  [/\[SCRUBBED\]|REDACTED|\{model\}|bad%20model/, "the address was scrubbed or hostile"],
  [/^https:\/\/api\.anthropic\.com\/api\/v1/, "the host was inferred by the recording project"],
  [/chat\/completions\/chatcmpl-/, "stored messages, not Anthropic's"],
  [/^https:\/\/generativelanguage\.googleapis\.com\/v1beta\/openai/, "Google's compatible surface"],
  [/azure\.com\/(?!openai\/v1\/|anthropic\/)/, "Azure's older surfaces with an api-version"],
  [/huggingface\.co\/together/, "a provider's own route at Hugging Face"],
];

function variablesOf(id: string, url: URL): Record<string, string> {
  const host = url.hostname;
  if (id === "azure") return { resource: host.split(".")[0] ?? "" };
  if (id === "bedrock") return { region: host.split(".")[1] ?? "" };
  if (id === "alibaba") return { region: /^dashscope-(\w+)/.exec(host)?.[1] ?? "" };
  if (id !== "vertex") return {};
  const [, project = "", location = ""] =
    /projects\/([^/]+)\/locations\/([^/]+)/.exec(url.pathname) ?? [];
  return { project, location };
}

/** Placeholders that recording projects left in addresses, filled in. */
const filledIn = (address: string): URL =>
  new URL(
    address
      .replace("<GOOGLE_CLOUD_PROJECT>", "example-project")
      .replace("<GOOGLE_CLOUD_LOCATION>", "global")
      .replace("<AWS_REGION>", "us-east-1"),
  );

/** What the recorded address says, with the spellings removed that servers hold equal. */
function normalized(url: URL): string {
  const path = decodeURIComponent(url.pathname)
    .replace("/v1/projects/", "/v1beta1/projects/")
    .replace(/^\/api\/coding\/paas/, "/api/paas");
  return `${url.origin}${path}`;
}

const modelOf = (url: URL, recording: Recording): string =>
  decodeURIComponent(
    /\/models?\/([^/:?]+(?::\d+)?)/.exec(decodeURIComponent(url.pathname))?.[1] ?? "",
  ) ||
  recording.model ||
  "model";

describeCorpus("buildUrl against recorded addresses", () => {
  const relevant = recordings().filter(
    ({ provider: name, endpoint, request }) =>
      PROTOCOL_OF_ENDPOINT[endpoint] !== undefined &&
      PROVIDERS[BY_CORPUS_NAME[name] ?? name] !== undefined &&
      !OTHER_SURFACES.some(([pattern]) => pattern.test(request.url)),
  );

  test("has recordings of the providers that matter", () => {
    expect(relevant.length).toBeGreaterThan(200);
    const ids = new Set(relevant.map(({ provider: name }) => BY_CORPUS_NAME[name] ?? name));
    expect(ids.size).toBeGreaterThanOrEqual(18);
  });

  test.each(relevant.map((recording) => [recording.request.url, recording] as const))(
    "%s",
    (address, recording) => {
      const id = BY_CORPUS_NAME[recording.provider] ?? recording.provider;
      const row = provider(id);
      const url = filledIn(address);
      const protocol = PROTOCOL_OF_ENDPOINT[recording.endpoint];
      const model = modelOf(url, recording);
      const speech = row.speaks.find(
        (candidate) =>
          candidate.protocol === protocol &&
          (candidate.models === undefined || id !== "vertex" || candidate.models.test(model)),
      );
      expect(speech, `${id} speaks ${protocol}`).toBeDefined();
      const stream = /stream/i.test(url.pathname);
      const variables = variablesOf(id, url);
      const override = id === "azure" && !url.hostname.endsWith(".openai.azure.com");
      const built = buildUrl(row, speech!, {
        model,
        stream,
        variables,
        ...(override && { baseUrlOverride: url.origin }),
      });
      expect(normalized(built)).toBe(normalized(url));
    },
  );
});
