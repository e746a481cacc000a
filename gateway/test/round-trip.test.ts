import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Message, Part } from "#canonical/message.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { SignatureOrigin } from "#canonical/signature.ts";
import type { ClientCodec, Dialect, UpstreamCodec } from "#protocols/codec.ts";
import { CLIENT_CODECS, UPSTREAM_CODECS } from "#protocols/registry.ts";

/** What a protocol can say, and what of it comes back in another form. */
interface Ability {
  readonly protocol: Exclude<ClientProtocol, "openai-completions">;
  /** Whose tokens its reasoning carries. */
  readonly origin: SignatureOrigin;
  readonly reasoning: "signed-summary" | "signed";
  readonly customTools: boolean;
  readonly sampling: readonly ("temperature" | "topP" | "topK" | "seed")[];
  readonly stop: boolean;
  readonly dialect: Dialect;
  /** Declared losses: both sides without what the protocol does not tell. */
  readonly forget: (message: Message) => Message;
}

const same = (message: Message): Message => message;

/** Gemini and Chat do not say of what kind a result is, or take the tool's turn for the user's. */
const ABILITIES: readonly Ability[] = [
  {
    protocol: "openai-chat",
    origin: "anthropic",
    reasoning: "signed",
    customTools: true,
    sampling: ["temperature", "topP", "topK", "seed"],
    stop: true,
    dialect: {
      reasoningReplay: "reasoning_details",
      customTools: true,
      developerRole: true,
      cacheControl: true,
    },
    forget: same,
  },
  {
    protocol: "openai-responses",
    origin: "openai",
    reasoning: "signed-summary",
    customTools: true,
    sampling: ["temperature", "topP"],
    stop: false,
    dialect: {},
    forget: same,
  },
  {
    protocol: "anthropic-messages",
    origin: "anthropic",
    reasoning: "signed",
    customTools: false,
    sampling: ["temperature", "topP", "topK"],
    stop: true,
    dialect: {},
    // Results are blocks of a user turn.
    forget: (message) => (message.role === "tool" ? { ...message, role: "user" } : message),
  },
  {
    protocol: "gemini",
    origin: "gemini",
    reasoning: "signed-summary",
    customTools: false,
    sampling: ["temperature", "topP", "topK", "seed"],
    stop: true,
    dialect: {},
    forget: (message) => (message.role === "tool" ? { ...message, role: "user" } : message),
  },
];

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() !== "");
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const base64 = fc.base64String({ minLength: 4 }).map((text) => `Zz${text}`);

const text = fc.record({ type: fc.constant("text" as const), text: word });

const image = fc.record({
  type: fc.constant("image" as const),
  source: fc.record({
    type: fc.constant("base64" as const),
    mediaType: fc.constant("image/png"),
    data: base64,
  }),
});

const reasoning = ({ origin, reasoning: form }: Ability): fc.Arbitrary<Part> =>
  base64.map((value) => ({
    type: "reasoning",
    text: "a thought",
    ...(form === "signed-summary" && { summary: true }),
    signature: { origin, value, ...(origin === "openai" && { itemId: "rs_1" }) },
  }));

/** A user turn, an answer with a thought and a call, and the result of that. */
function exchange(ability: Ability, at: number): fc.Arbitrary<Message[]> {
  const kind = ability.customTools
    ? fc.constantFrom("function" as const, "custom" as const)
    : fc.constant("function" as const);
  return fc
    .record({
      asked: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
      thought: reasoning(ability),
      said: word,
      kind,
      tool: name,
      argument: word,
      result: word,
    })
    .map(({ asked, thought, said, kind: called, tool, argument, result }) => {
      const id = `call_${at}`;
      const input = called === "custom" ? argument : JSON.stringify({ argument });
      return [
        { role: "user", content: asked },
        {
          role: "assistant",
          content: [
            thought,
            { type: "text", text: said },
            { type: "tool-call", id, name: `${called}_${tool}`, kind: called, input },
          ],
        },
        {
          role: "tool",
          content: [
            {
              type: "tool-result",
              toolCallId: id,
              kind: called,
              // Only Gemini writes it; it is what others find by the call's id.
              ...(ability.protocol === "gemini" && { name: `${called}_${tool}` }),
              content: [{ type: "text", text: result }],
            },
          ],
        },
        { role: "assistant", content: [{ type: "text", text: said }] },
      ];
    });
}

function requests(ability: Ability): fc.Arbitrary<ChatRequest> {
  const sampling = fc.record(
    Object.fromEntries(ability.sampling.map((member) => [member, fc.integer({ min: 1, max: 9 })])),
    { requiredKeys: [...ability.sampling] },
  );
  return fc
    .record({
      system: word,
      first: exchange(ability, 1),
      second: exchange(ability, 2),
      last: word,
      sampling,
      maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
      stop: fc.array(word, { minLength: 1, maxLength: 3 }),
      choice: fc.constantFrom("auto" as const, "none" as const, "required" as const),
      property: name,
    })
    .map(({ system, first, second, last, sampling: sampled, stop, choice, property, ...rest }) => ({
      protocol: ability.protocol,
      model: "m",
      stream: false,
      messages: [
        { role: "system", content: [{ type: "text", text: system }] },
        ...first,
        ...second,
        { role: "user", content: [{ type: "text", text: last }] },
      ],
      tools: [
        {
          type: "function",
          name: "f",
          description: "d",
          parameters: { type: "object", properties: { [property]: { type: "string" } } },
        },
      ],
      toolChoice: { type: choice },
      sampling: sampled,
      ...(ability.stop && { stopSequences: stop }),
      ...rest,
    }));
}

describe.each(ABILITIES)("$protocol", (ability) => {
  const client: ClientCodec = CLIENT_CODECS[ability.protocol];
  const upstream: UpstreamCodec = UPSTREAM_CODECS[ability.protocol];

  test("parse(render(request)) is the request, and nothing is reported as lost", () => {
    fc.assert(
      fc.property(requests(ability), (request) => {
        const losses: string[] = [];
        const { body } = upstream.renderRequest(request, {
          upstreamModel: "m",
          dialect: ability.dialect,
          reportLoss: (field, reason) => losses.push(`${field}: ${reason}`),
        });
        const parsed = client.parseRequest({
          // Through text, as on the wire.
          body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>,
          headers: {},
          pathModel: "m",
          pathVerb: "generateContent",
        });
        expect(losses).toEqual([]);
        expect(parsed).toEqual({ ...request, messages: request.messages.map(ability.forget) });
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
