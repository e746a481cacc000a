import { describe, expect, test } from "vitest";

import { setUpBench } from "#test/sdk/suite.ts";
import { WEATHER } from "#test/sdk/driver.ts";
import { THINKING_CLIENTS, type Conversation, type LoopTurn } from "#test/sdk/thinking-clients.ts";
import { speak, type Upstream, UPSTREAMS } from "#test/sdk/upstreams.ts";

const TURNS = 5;
const USAGE = { input: 10, output: 5 };

/** A provider that signs its thinking. Tokens of one origin are good at each of its providers. */
interface Thinker {
  readonly upstream: Upstream;
  readonly origin: string;
  /** Gemini's tokens belong to calls, and thoughts need not go back to it. */
  readonly signs: "text" | "calls";
  readonly signature: (turn: number) => string;
}

/** Base64 with all of its special characters, of the length of real tokens. */
const token = (start: string, turn: number): string =>
  `${start}${`q+/${turn}`.repeat(90 + turn)}${turn % 2 === 0 ? "==" : "AA"}`;

const THINKERS: readonly Thinker[] = [
  {
    upstream: UPSTREAMS.anthropic,
    origin: "anthropic",
    signs: "text",
    signature: (turn) => token("EqUD", turn),
  },
  {
    upstream: UPSTREAMS.responses,
    origin: "openai",
    signs: "text",
    signature: (turn) => token("gAAAAAB", turn),
  },
  {
    upstream: { ...UPSTREAMS.google, model: "google/gemini-3-pro-preview" },
    origin: "gemini",
    signs: "calls",
    signature: (turn) => token("CsgC", turn),
  },
  {
    upstream: UPSTREAMS.bedrock,
    origin: "anthropic",
    signs: "text",
    signature: (turn) => token("EooC", turn),
  },
];

const thoughtOf = (turn: number): string => `Thought ${turn}: look at the next one.`;

const bench = setUpBench();

/** Goes around a loop in which the model thinks and calls a tool, turn after turn. */
async function goAround(conversation: Conversation, thinker: Thinker): Promise<LoopTurn[]> {
  const { upstream, signature } = thinker;
  const turns: LoopTurn[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const call = { id: `toolu_${turn}`, name: WEATHER.name, args: { city: `City ${turn}` } };
    const reasoning = { text: thoughtOf(turn), signature: signature(turn) };
    bench.gateway.upstream.answer(speak(upstream, { reasoning, calls: [call], usage: USAGE }));
    turns.push(await conversation.turn(upstream.model));
    conversation.results(`${turn} °C`);
  }
  return turns;
}

const open = (client: string, streamed: boolean): Conversation => {
  const start = THINKING_CLIENTS[client];
  if (start === undefined) throw new Error(`no client ${client}`);
  const { url, key } = bench.gateway;
  return start({ url, key, streamed, prompt: "How warm is it everywhere?" });
};

const signaturesUpTo = ({ signature }: Thinker, turn: number): string[] =>
  Array.from({ length: turn }, (_none, at) => signature(at));

describe.each(Object.keys(THINKING_CLIENTS))("a thinking tool loop of a %s client", (client) => {
  describe.each(THINKERS)("on $upstream.name", (thinker) => {
    test.each([false, true])("keeps every signature as it was (streamed: %s)", async (streamed) => {
      const turns = await goAround(open(client, streamed), thinker);
      expect(turns.map(({ calls }) => calls.map(({ name }) => name))).toEqual(
        Array.from({ length: TURNS }, () => [WEATHER.name]),
      );
      const received = bench.received(thinker.upstream);
      expect(received.map(({ signatures }) => signatures)).toEqual(
        Array.from({ length: TURNS }, (_none, turn) => signaturesUpTo(thinker, turn)),
      );
      if (thinker.signs === "text") {
        // A signature is worth nothing under a text that it was not made for.
        expect(received.at(-1)?.thoughts).toEqual(
          Array.from({ length: TURNS - 1 }, (_none, turn) => thoughtOf(turn)),
        );
      }
      expect(received.at(-1)?.results).toHaveLength(TURNS - 1);
    });

    const others = THINKERS.filter((other) => other !== thinker);
    test.each(others)(
      "goes on with $upstream.name, which is told no foreign token",
      async (other) => {
        const conversation = open(client, true);
        await goAround(conversation, thinker);
        bench.gateway.upstream.requests.length = 0;
        bench.gateway.upstream.answer(speak(other.upstream, { text: "Warm.", usage: USAGE }));
        const { text, warnings } = await conversation.turn(other.upstream.model);
        expect(text).toBe("Warm.");
        const [received] = bench.received(other.upstream);
        expect(received?.calls).toHaveLength(TURNS);
        expect(received?.results).toHaveLength(TURNS);
        if (other.origin === thinker.origin) {
          expect(received?.signatures).toEqual(signaturesUpTo(thinker, TURNS));
          expect(warnings).not.toMatch(/signature made by|without a signature/);
        } else {
          const sent = bench.gateway.upstream.requests[0]?.text ?? "";
          for (const signature of signaturesUpTo(thinker, TURNS)) {
            expect(sent).not.toContain(signature);
            expect(sent).not.toContain(Buffer.from(signature).toString("base64url").slice(8, 60));
          }
          expect(warnings).toContain(`signature made by ${thinker.origin}`);
        }
      },
    );
  });
});
