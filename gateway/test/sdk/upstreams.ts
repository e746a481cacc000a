import type { Script } from "#test/fake-upstream.ts";
import { bytes, json, status } from "#test/fake-upstream.ts";
import { ANTHROPIC_MESSAGES } from "#test/sdk/wire/anthropic-messages.ts";
import { BEDROCK_CONVERSE } from "#test/sdk/wire/bedrock-converse.ts";
import { COHERE } from "#test/sdk/wire/cohere.ts";
import { GEMINI } from "#test/sdk/wire/gemini.ts";
import { OPENAI_CHAT } from "#test/sdk/wire/openai-chat.ts";
import { OPENAI_RESPONSES } from "#test/sdk/wire/openai-responses.ts";
import type { Received, Turn, Wire } from "#test/sdk/wire/wire.ts";

/** A model at a provider, by the one protocol that it is reached with. */
export interface Upstream {
  readonly name: string;
  /** As a client asks for it. */
  readonly model: string;
  readonly wire: Wire;
}

const upstream = (name: string, model: string, wire: Wire): Upstream => ({ name, model, wire });

/** One of each kind. */
export const UPSTREAMS = {
  /** Speaks Chat Completions to every client but those that speak Responses. */
  openai: upstream("OpenAI", "openai/gpt-4o-mini", OPENAI_CHAT),
  chatOnly: upstream("a Chat Completions provider", "groq/openai/gpt-oss-120b", OPENAI_CHAT),
  responses: upstream("OpenAI Responses", "openai/gpt-5-codex", OPENAI_RESPONSES),
  anthropic: upstream("Anthropic", "anthropic/claude-sonnet-4-5", ANTHROPIC_MESSAGES),
  google: upstream("Gemini", "google/gemini-2.5-flash", GEMINI),
  bedrock: upstream(
    "Bedrock",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    BEDROCK_CONVERSE,
  ),
  cohere: upstream("Cohere", "cohere/command-a-03-2025", COHERE),
};

/** Not a divisor of anything: pieces end in the middle of lines, events and characters. */
const ODD_PIECE = 61;

/** Answers with a turn, as a stream in odd pieces or as one body: whichever the request asks for. */
export const speak =
  ({ wire }: Upstream, turn: Turn | ((received: Received) => Turn)): Script =>
  (request, response) => {
    const said = typeof turn === "function" ? turn(wire.received(request.body)) : turn;
    const script = wire.wantsStream(request.path, request.body)
      ? bytes(wire.stream(said), { type: wire.streamType, pieceSize: ODD_PIECE })
      : json(wire.body(said));
    return script(request, response);
  };

/** Streams the first two thirds of a turn and closes the connection. */
export const breakOff =
  ({ wire }: Upstream, turn: Turn): Script =>
  (_request, response) => {
    const all = wire.stream(turn);
    response.writeHead(200, { "content-type": wire.streamType });
    response.write(all.subarray(0, Math.floor((all.length * 2) / 3)), () =>
      setTimeout(() => response.destroy(), 5),
    );
  };

/** Answers with the provider's own form of an error. */
export const refuse = (
  { wire }: Upstream,
  code: number,
  options: { readonly message: string; readonly headers?: Record<string, string> },
): Script => status(code, wire.error(code, options.message), options.headers);
