import OpenAI from "openai";

import { formatUsd } from "../../gateway/src/lib/money.ts";
import { toNanoUsd } from "../../gateway/src/payments/amounts.ts";
import { payingFetch } from "../../gateway/test/chain/payer.ts";
import type { TestToken } from "../../gateway/test/chain/start-chain.ts";
import type { Stand } from "./open-stand.ts";
import { say, sayPiece } from "./say.ts";

/** Says a word every 100 ms, so that one sees the stream. */
const MODEL = "demo/slow";

/** An answer, and what was sent for it. */
export interface Asked {
  /** In how many pieces it came. */
  readonly pieces: number;
  /** The transaction that has paid for it; absent: none. */
  readonly transaction?: string;
}

/**
 * Asks for a streamed answer with OpenAI's SDK, as an agent without a key would: all about payment is
 * done by the `fetch` that it is given.
 */
export async function ask(stand: Stand, question: string): Promise<Asked> {
  const { agent, chain, origin } = stand;
  const client = new OpenAI({
    baseURL: `${origin}/v1`,
    apiKey: "x402",
    fetch: payingFetch(agent, { token: chain.tokens.usdc, signsIn: true, send: watched(stand) }),
  });
  const { data, response } = await client.chat.completions
    .create({
      model: MODEL,
      max_tokens: 200,
      stream: true,
      messages: [{ role: "user", content: question }],
    })
    .withResponse();
  const receipt = decoded(response.headers.get("payment-response"));
  if (receipt !== undefined) say(`    settled by transaction ${String(receipt["transaction"])}`);
  let pieces = 0;
  sayPiece("  ");
  for await (const { choices } of data) {
    const piece = choices[0]?.delta.content ?? "";
    if (piece === "") continue;
    pieces++;
    sayPiece(piece);
  }
  say("");
  const transaction = receipt?.["transaction"];
  return { pieces, ...(typeof transaction === "string" && { transaction }) };
}

/** Says what goes over the wire: that is all there is between an agent and the gateway. */
function watched({ chain }: Stand): typeof fetch {
  const tokens = Object.values(chain.tokens);
  return async (input, init) => {
    const request = new Request(input, init);
    const payment = request.headers.get("payment-signature");
    const proof = request.headers.get("sign-in-with-x");
    const what = payment
      ? "with PAYMENT-SIGNATURE"
      : proof
        ? "with SIGN-IN-WITH-X"
        : "without a key";
    say(`  → ${request.method} ${new URL(request.url).pathname}, ${what}`);
    if (payment) say(`    ${signed(decoded(payment), tokens)}, signed, not sent to the chain`);
    if (proof) say(`    the wallet ${String(decoded(proof)?.["address"])} proves itself`);
    const response = await fetch(request);
    say(`  ← ${response.status} ${response.statusText}`);
    if (response.status === 402)
      sayPrice(decoded(response.headers.get("payment-required")), tokens);
    return response;
  };
}

type Tokens = readonly TestToken[];

interface Offer {
  readonly network: string;
  readonly asset: string;
  readonly amount: string;
}

function signed(payment: Json, tokens: Tokens): string {
  const { accepted } = payment as { readonly accepted: Offer };
  return `an authorization to transfer ${amountOf(accepted, tokens)}`;
}

function sayPrice(required: Json, tokens: Tokens): void {
  const { error = "", accepts } = required as {
    readonly error?: string;
    readonly accepts: readonly Offer[];
  };
  say(`    ${error}; one of`);
  for (const offer of accepts) say(`      ${amountOf(offer, tokens)} on ${offer.network}`);
}

function amountOf({ asset, amount }: Offer, tokens: Tokens): string {
  const token = tokens.find(({ address }) => address === asset);
  if (token === undefined) throw new Error(`${asset} is none of the chain's tokens`);
  const { symbol, decimals } = token;
  return `${formatUsd(toNanoUsd(BigInt(amount), decimals))} ${symbol} (${amount} units)`;
}

type Json = Readonly<Record<string, unknown>> | undefined;

/** x402 writes JSON in base64 into its headers. */
function decoded(header: string | null): Json {
  if (header === null) return undefined;
  return JSON.parse(Buffer.from(header, "base64").toString("utf8")) as Json;
}
