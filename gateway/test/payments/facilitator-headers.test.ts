import { afterEach, expect, test } from "vitest";

import { makePayer, payingFetch } from "#test/chain/payer.ts";
import { startChain } from "#test/chain/start-chain.ts";
import { startFacilitator } from "#test/chain/start-facilitator.ts";
import { json } from "#test/fake-upstream.ts";
import { freePort, paymentsConfig } from "#test/payments/start-paid-gateway.ts";
import { startGateway } from "#test/start-gateway.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A gateway whose facilitator, such as Gate Pay's, wants to know who calls. */
async function start(token: string) {
  const chain = await startChain();
  closers.push(() => chain.stop());
  const facilitator = await startFacilitator([chain], { authorization: "Bearer of-the-merchant" });
  closers.push(() => facilitator.stop());
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const configText = paymentsConfig({ origin, chain, facilitators: [facilitator] }).replace(
    `- url: ${facilitator.url}`,
    `- url: ${facilitator.url}\n        headers: { authorization: "Bearer \${FACILITATOR_TOKEN}" }`,
  );
  const gateway = await startGateway({ port, configText, env: { FACILITATOR_TOKEN: token } });
  closers.push(() => gateway.close());
  gateway.upstream.answer(ANSWER);
  const payer = await makePayer([chain]);
  const pay = payingFetch(payer, { token: chain.tokens.usdt18 });
  const ask = (): Promise<Response> =>
    pay(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "openai/gpt-4o-mini",
        max_tokens: 100,
        messages: [{ role: "user", content: "Hi" }],
      }),
    });
  return { ask, facilitator };
}

const ANSWER = json({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

test("a facilitator behind a header from the environment is asked, and settles", async () => {
  const { ask, facilitator } = await start("of-the-merchant");
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("payment-response")).toBeTruthy();
  expect(facilitator.calls).toMatchObject({ verify: 1, settle: 1 });
});

test("with another header payments stay off: nobody is told a price that nobody would settle", async () => {
  const { ask, facilitator } = await start("of-somebody-else");
  expect((await ask()).status).toBe(401);
  expect(facilitator.calls).toMatchObject({ verify: 0, settle: 0 });
});
