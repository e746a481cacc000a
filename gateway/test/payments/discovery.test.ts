import { decodePaymentRequiredHeader } from "@x402/core/http";
import { validateDiscoveryExtension } from "@x402/extensions/bazaar";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";
import { startGateway } from "#test/start-gateway.ts";

const MAX_HEADER = 8 * 1024;
const PATHS = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
  "/v1/embeddings",
  "/v1/rerank",
  "/v1/moderations",
];
const GEMINI = ["generateContent", "streamGenerateContent?alt=sse"].map(
  (verb) => `/v1beta/models/gemini-2.5-flash:${verb}`,
);

interface OpenApi {
  readonly paths: Record<string, { readonly post: Record<string, unknown> }>;
}

describe("what a gateway that takes payments tells beforehand", () => {
  let gateway: PaidGateway;
  beforeAll(async () => {
    gateway = await startPaidGateway({ x402: "    bazaar: true\n" });
  });
  afterAll(() => gateway.close());
  const get = (path: string): Promise<Response> => fetch(gateway.url + path);

  test("/openapi.json has the price range of each route", async () => {
    const { paths } = (await (await get("/openapi.json")).json()) as OpenApi;
    expect(Object.keys(paths)).toEqual([...PATHS, "/v1/x402/topup"]);
    const range = { protocols: ["x402"], pricingMode: "range", minPrice: "0.001", maxPrice: "1" };
    for (const path of PATHS) expect(paths[path]?.post).toMatchObject({ "x-payment-info": range });
    expect(paths["/v1/x402/topup"]?.post).toMatchObject({
      "x-payment-info": { minPrice: "0.1", maxPrice: "100" },
    });
  });

  test("each resource of /.well-known/x402 asks for payment when it is asked for nothing", async () => {
    const { version, resources } = (await (await get("/.well-known/x402")).json()) as {
      version: number;
      resources: string[];
    };
    expect(version).toBe(1);
    expect(resources).toHaveLength(PATHS.length + 1);
    for (const url of resources) {
      const body = url.endsWith("/topup") ? '{"usd":"0.5"}' : "";
      const answer = await fetch(url, { method: "POST", body });
      expect([url, answer.status]).toEqual([url, 402]);
    }
  });

  test.each([...PATHS, ...GEMINI])("an empty probe of %s is told the least price", async (path) => {
    for (const body of ["", "{}", " {} "]) {
      const answer = await fetch(gateway.url + path, { method: "POST", body });
      expect([body, answer.status]).toEqual([body, 402]);
      const header = answer.headers.get("payment-required") ?? "";
      expect(header.length).toBeLessThan(MAX_HEADER);
      const required = decodePaymentRequiredHeader(header);
      expect(required.accepts[0]).toMatchObject({ amount: "1000" });
      const bazaar = required.extensions?.["bazaar"] as
        | Parameters<typeof validateDiscoveryExtension>[0]
        | undefined;
      // A path with a model in it is no single resource.
      if (path.startsWith("/v1beta")) expect(bazaar).toBeUndefined();
      else expect(bazaar && validateDiscoveryExtension(bazaar)).toEqual({ valid: true });
    }
  });

  test("/llms.txt tells how to pay", async () => {
    const answer = await get("/llms.txt");
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect(await answer.text()).toContain("0.001 to 1 USD");
  });
});

test("a 402 with four offers and all extensions fits into 8 KiB", async () => {
  const { chain, facilitator, ...first } = await startPaidGateway();
  await first.app.close();
  const { usdc } = chain.tokens;
  const more = `      - { network: "${chain.network}", address: "${usdc.address}", symbol: USDC, decimals: 6, method: eip3009, name: "${usdc.name}", version: "2" }
    bazaar: true
`;
  const gateway = await startPaidGateway({ chain, facilitator, x402: more });
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "openai/gpt-4o-mini",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
    }),
  });
  const header = answer.headers.get("payment-required") ?? "";
  expect(decodePaymentRequiredHeader(header).accepts).toHaveLength(4);
  expect(header.length).toBeGreaterThan(1_000);
  expect(header.length).toBeLessThan(MAX_HEADER);
  await gateway.close();
  await first.close();
});

test("where payments are off nothing is told of them", async () => {
  const gateway = await startGateway();
  expect((await fetch(`${gateway.url}/.well-known/x402`)).status).toBe(404);
  const document = await (await fetch(`${gateway.url}/openapi.json`)).text();
  expect(document).not.toContain("x-payment-info");
  expect(document).toContain("/v1/messages");
  expect(await (await fetch(`${gateway.url}/llms.txt`)).text()).not.toContain("x402");
  await gateway.close();
});
