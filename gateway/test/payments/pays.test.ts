import Anthropic from "@anthropic-ai/sdk";
import { decodePaymentResponseHeader } from "@x402/core/http";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { payingFetch } from "#test/chain/payer.ts";
import { json, sse, status } from "#test/fake-upstream.ts";
import { PAY_TO, startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

const MODEL = "openai/gpt-4o-mini";
const chunk = (delta: object, finish: string | null = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const STREAM = sse(
  chunk({ role: "assistant", content: "Hello" }),
  chunk({ content: " there" }),
  chunk({}, "stop"),
  {
    ...chunk({}),
    choices: [],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  },
  "[DONE]",
);
const WHOLE = json({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hello there" }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});
const RESPONSE = json({
  id: "resp_1",
  object: "response",
  created_at: 1,
  status: "completed",
  model: "gpt-4o-mini",
  output: [
    {
      type: "message",
      id: "msg_1",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "Hello there", annotations: [] }],
    },
  ],
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
});
const chatBody = { model: MODEL, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };

describe("agents pay by x402", () => {
  let gateway: PaidGateway;
  beforeAll(async () => {
    gateway = await startPaidGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.upstream.answer(WHOLE));

  const post = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const received = (): Promise<bigint> => gateway.chain.balance(gateway.chain.tokens.usdc, PAY_TO);

  test("who has no key is told the price, in the body of the dialect and in the header", async () => {
    const answer = await post(chatBody);
    expect(answer.status).toBe(402);
    expect(answer.headers.get("payment-required")).toBeTruthy();
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({
      error: { code: "payment_required" },
      x402: { x402Version: 2, accepts: [{ scheme: "exact", amount: "1000" }, {}, {}] },
      price_usd: "0.001",
    });
    expect(gateway.upstream.requests).toHaveLength(0);
  });

  test("an empty probe is told the least price", async () => {
    const answer = await post({});
    expect(answer.status).toBe(402);
    expect(await answer.json()).toMatchObject({ price_usd: "0.001" });
  });

  test.for(["usdc", "usdt", "usdt18"] as const)(
    "OpenAI's SDK streams, paid in %s",
    async (name) => {
      gateway.upstream.answer(STREAM);
      const client = new OpenAI({
        baseURL: `${gateway.url}/v1`,
        apiKey: "x402",
        fetch: payingFetch(gateway.payer, { token: gateway.chain.tokens[name] }),
      });
      const { data, response } = await client.chat.completions
        .create({ ...chatBody, stream: true } as OpenAI.ChatCompletionCreateParamsStreaming)
        .withResponse();
      let text = "";
      for await (const piece of data) text += piece.choices[0]?.delta.content ?? "";
      expect(text).toBe("Hello there");
      const receipt = decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");
      expect(receipt).toMatchObject({ success: true, network: gateway.chain.network });
    },
  );

  test("Anthropic's SDK and the Responses API pay, too", async () => {
    const fetch = payingFetch(gateway.payer, { token: gateway.chain.tokens.usdc });
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "x402", fetch });
    const message = await anthropic.messages.create({
      model: MODEL,
      max_tokens: 50,
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(message.content).toMatchObject([{ type: "text", text: "Hello there" }]);
    gateway.upstream.answer(RESPONSE);
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "x402", fetch });
    const response = await openai.responses.create({ model: MODEL, input: "Hi" });
    expect(response.output_text).toBe("Hello there");
  });

  test("one payment, even where the provider fails; all of it is credit", async () => {
    gateway.upstream.answer(status(500, { error: { message: "down" } }));
    const before = await received();
    const client = new OpenAI({
      baseURL: `${gateway.url}/v1`,
      apiKey: "x402",
      maxRetries: 3,
      fetch: payingFetch(gateway.payer, { token: gateway.chain.tokens.usdc }),
    });
    await expect(
      client.chat.completions.create(chatBody as OpenAI.ChatCompletionCreateParamsNonStreaming),
    ).rejects.toMatchObject({ status: 502 });
    expect((await received()) - before).toBe(1_000n);
  });

  test("credit is spent before anything is paid", async () => {
    const { payer, chain } = gateway;
    const fetch = payingFetch(payer, { token: chain.tokens.usdc, signsIn: true });
    const before = await received();
    for (let turn = 0; turn < 3; turn++) {
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(chatBody),
      });
      expect(answer.status).toBe(200);
    }
    expect(await received()).toBe(before);
  });
});
