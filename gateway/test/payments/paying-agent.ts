import type { PaymentRequired } from "@x402/core/types";
import type { PrivateKeyAccount } from "viem/accounts";

import { paymentHeader, type Tampering } from "#test/chain/payer.ts";
import type { TestToken } from "#test/chain/start-chain.ts";

/** A request that costs the least price. */
export const SMALL = {
  model: "openai/gpt-4o-mini",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hi" }],
};

/** Body of a chat completion that uses 10 and 5 tokens: 4,500 nano-USD. */
export const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hello there" }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
export const ANSWER_COST = 10n * 150n + 5n * 600n;

/** A client that does each step of paying by itself, rightly or wrongly. */
export interface Agent {
  /** Asks without a key. */
  post(body: object, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  /** What an unpaid request is told; fails where that is no 402. */
  quote(body?: object, token?: TestToken, scheme?: string): Promise<PaymentRequired>;
  /** A payment for a body, for its first offer or the one in a token. */
  sign(options?: Signing): Promise<string>;
}

export interface Signing extends Tampering {
  readonly body?: object;
  readonly token?: TestToken;
  readonly scheme?: string;
  readonly payer?: PrivateKeyAccount;
}

interface Target {
  readonly url: string;
  readonly payer: PrivateKeyAccount;
}

export function agentOf({ url, payer }: Target, path = "/v1/chat/completions"): Agent {
  const post: Agent["post"] = (body, headers = {}, signal) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    });
  const quote: Agent["quote"] = async (body = SMALL, token, wanted) => {
    const answer = await post(body);
    if (answer.status !== 402) throw new Error(`no price but ${answer.status}`);
    const { x402 } = (await answer.json()) as { x402: PaymentRequired };
    const accepts = x402.accepts.filter(
      ({ asset, scheme }) => asset === (token?.address ?? asset) && scheme === (wanted ?? scheme),
    );
    return { ...x402, accepts };
  };
  return {
    post,
    quote,
    sign: async ({ body = SMALL, token, scheme, payer: other = payer, ...tampering } = {}) =>
      paymentHeader(other, await quote(body, token, scheme), tampering),
  };
}

/** The headers that pay. */
export const paidBy = (header: string): Record<string, string> => ({ "payment-signature": header });
