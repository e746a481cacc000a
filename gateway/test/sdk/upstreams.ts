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

/** Speaks Chat Completions to every client, but Responses to one that speaks Responses. */
export const OPENAI: Upstream = {
  name: "OpenAI",
  model: "openai/gpt-4o-mini",
  wire: OPENAI_CHAT,
};
export const CHAT_ONLY: Upstream = {
  name: "a Chat Completions provider",
  model: "groq/openai/gpt-oss-120b",
  wire: OPENAI_CHAT,
};
export const RESPONSES: Upstream = {
  name: "OpenAI Responses",
  model: "openai/gpt-5-codex",
  wire: OPENAI_RESPONSES,
};
export const ANTHROPIC: Upstream = {
  name: "Anthropic",
  model: "anthropic/claude-sonnet-4-5",
  wire: ANTHROPIC_MESSAGES,
};
export const GOOGLE: Upstream = {
  name: "Gemini",
  model: "google/gemini-2.5-flash",
  wire: GEMINI,
};
export const BEDROCK: Upstream = {
  name: "Bedrock",
  model: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  wire: BEDROCK_CONVERSE,
};
export const COHERE_CHAT: Upstream = {
  name: "Cohere",
  model: "cohere/command-a-03-2025",
  wire: COHERE,
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

/** Answers with the provider's own form of an error. */
export const refuse = (
  { wire }: Upstream,
  code: number,
  options: { readonly message: string; readonly headers?: Record<string, string> },
): Script => status(code, wire.error(code, options.message), options.headers);
