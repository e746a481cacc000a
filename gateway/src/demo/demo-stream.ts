import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";

import { piecesOf, type DemoReply } from "./demo-answer.ts";
import type { DemoChat } from "./demo-request.ts";

/** Wire text, and how long the model "thinks" before it. */
export interface DemoChunk {
  readonly waitMs: number;
  readonly text: string;
}

/** Members that every body of one answer shares. */
export interface DemoEnvelope {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

const SLOW_WORD_MS = 100;
/** Tool arguments come in fragments of this many characters. */
const FRAGMENT = 8;

const waitOf = ({ model }: DemoChat): number => (model === "slow" ? SLOW_WORD_MS : 0);

/** The answer as one JSON body. */
export function renderWhole(
  chat: DemoChat,
  reply: DemoReply,
  envelope: DemoEnvelope,
): readonly DemoChunk[] {
  const { toolCall, finish, text, usage } = reply;
  const call = toolCall && {
    id: toolCall.id,
    type: "function",
    function: { name: toolCall.name, arguments: toolCall.arguments },
  };
  const message = {
    role: "assistant",
    content: call === undefined ? text : null,
    refusal: null,
    ...(call && { tool_calls: [call] }),
  };
  const choices = Array.from({ length: chat.choices }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: finish,
  }));
  const body = { ...envelope, object: "chat.completion", choices, usage };
  return [{ waitMs: waitOf(chat) * piecesOf(text).length, text: JSON.stringify(body) }];
}

/** The answer as server-sent events, a word or a fragment each. */
export function renderStream(
  chat: DemoChat,
  reply: DemoReply,
  envelope: DemoEnvelope,
): readonly DemoChunk[] {
  const event = (waitMs: number, rest: JsonObject): DemoChunk => ({
    waitMs,
    text: renderSse(JSON.stringify({ ...envelope, object: "chat.completion.chunk", ...rest })),
  });
  const choice = (index: number, delta: JsonObject, finish: string | null = null): JsonObject => ({
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
  });
  const indexes = Array.from({ length: chat.choices }, (_, index) => index);
  const usage = chat.includeUsage ? [event(0, { choices: [], usage: reply.usage })] : [];
  return [
    ...indexes.flatMap((index) => [
      event(0, choice(index, { role: "assistant", content: "", refusal: null })),
      ...deltasOf(reply).map((delta) => event(waitOf(chat), choice(index, delta))),
      event(0, choice(index, {}, reply.finish)),
    ]),
    ...usage,
    { waitMs: 0, text: renderSse("[DONE]") },
  ];
}

function deltasOf({ text, toolCall }: DemoReply): readonly JsonObject[] {
  if (toolCall === undefined) return piecesOf(text).map((content) => ({ content }));
  const { id, name, arguments: input } = toolCall;
  const opening = { index: 0, id, type: "function", function: { name, arguments: "" } };
  const fragments = input.match(new RegExp(`.{1,${FRAGMENT}}`, "gsu")) ?? [];
  return [
    { tool_calls: [opening] },
    ...fragments.map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
  ];
}
