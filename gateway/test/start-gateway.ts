import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { HealthParameters } from "#health/parameters.ts";
import type { AppOptions } from "#app/app-options.ts";
import { startApp, type App } from "#app.ts";
import { startFakeUpstream, type FakeUpstream } from "#test/fake-upstream.ts";

export const TEST_KEY = "test-key-0123456789-0123456789-0123456789";

export interface TestGateway {
  /** Origin without a trailing slash. */
  readonly url: string;
  readonly key: string;
  readonly app: App;
  readonly home: string;
  readonly upstream: FakeUpstream;
  /** A POST of JSON with the test key. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** Keys and base URLs that make every protocol's provider lead to the fake one. */
export const providerEnvironment = (origin: string): Record<string, string> => ({
  OPENAI_API_KEY: "sk-upstream-openai",
  OPENAI_BASE_URL: `${origin}/openai/v1`,
  ANTHROPIC_API_KEY: "sk-upstream-anthropic",
  ANTHROPIC_BASE_URL: `${origin}/anthropic`,
  GEMINI_API_KEY: "upstream-gemini",
  GEMINI_BASE_URL: `${origin}/gemini/v1beta`,
  AWS_BEARER_TOKEN_BEDROCK: "upstream-bedrock",
  BEDROCK_BASE_URL: `${origin}/bedrock`,
  COHERE_API_KEY: "upstream-cohere",
  COHERE_BASE_URL: `${origin}/cohere`,
  GROQ_API_KEY: "gsk-upstream-groq",
  GROQ_BASE_URL: `${origin}/groq/v1`,
  AI_GATEWAY_API_KEY: "vck-upstream-vercel",
  VERCEL_BASE_URL: `${origin}/vercel/v1`,
  DEEPSEEK_API_KEY: "sk-upstream-deepseek",
  DEEPSEEK_BASE_URL: `${origin}/deepseek`,
  // Without a key: tenants bring theirs.
  MISTRAL_BASE_URL: `${origin}/mistral/v1`,
});

/**
 * Faults leave no trace: a test of one fault after another must not find its endpoint closed by the
 * one before. What they do leave is tested in `faults/` and beside the health tracker.
 */
const FORGIVING: Partial<HealthParameters> = {
  breakerConsecutiveFailures: Infinity,
  breakerMinRequests: Infinity,
  credentialDeadMs: 0,
  quotaMs: 0,
  modelMissingMs: 0,
  throttleMs: 0,
  throttleMaxMs: 0,
  throttleMaxHintMs: 0,
  concurrencyBackoff: 1,
  rateBackoff: Infinity,
};

export interface GatewayTestOptions {
  readonly env?: Record<string, string>;
  /** What its `turnpike.yaml` says; absent: there is none. */
  readonly configText?: string;
}

/** A real gateway on a free port, its data in a temporary folder, in front of a fake provider. */
export async function startGateway(
  given: Partial<AppOptions> & GatewayTestOptions = {},
): Promise<TestGateway> {
  const { configText, ...options } = given;
  const upstream = await startFakeUpstream();
  const home = options.home ?? mkdtempSync(join(tmpdir(), "turnpike-test-"));
  if (configText !== undefined) writeFileSync(join(home, "turnpike.yaml"), configText);
  const env = { TURNPIKE_KEY: TEST_KEY, ...providerEnvironment(upstream.origin), ...options.env };
  const app = await startApp({ port: 0, health: FORGIVING, ...options, home, env });
  const auth = { authorization: `Bearer ${TEST_KEY}` };
  return {
    url: app.url,
    key: TEST_KEY,
    app,
    home,
    upstream,
    post: (path, body, headers) =>
      fetch(app.url + path, {
        method: "POST",
        headers: { ...auth, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    get: (path, headers) => fetch(app.url + path, { headers: { ...auth, ...headers } }),
    close: async () => {
      await app.close();
      await upstream.close();
      if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
