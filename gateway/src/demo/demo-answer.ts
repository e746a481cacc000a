import { estimateTokens } from "#canonical/estimate-tokens.ts";
import { asObject, asString, isObject, type JsonObject } from "#lib/json.ts";

import { messageText, type DemoChat, type DemoTool } from "./demo-request.ts";
import { sampleOf } from "./schema-sample.ts";

/** What the demo answers, before it is written as one body or as a stream. */
export interface DemoReply {
  readonly text: string;
  readonly toolCall?: { readonly id: string; readonly name: string; readonly arguments: string };
  readonly finish: "stop" | "length" | "tool_calls";
  readonly usage: JsonObject;
}

/** The demo repeats no more than this: a pasted book need not come back. */
const LONGEST_QUOTE = 4_000;
const NOTICE = "This is Turnpike's built-in demo; no AI model was asked.";

/** Decides on the answer: a tool call where one is due, else text. */
export function replyTo(chat: DemoChat): DemoReply {
  const tool = toolToCall(chat);
  if (tool !== undefined) return toolReply(chat, tool);
  const { text, finish } = cutText(textFor(chat), chat);
  return { text, finish, usage: usageOf(chat, text) };
}

/** Forced tools are called by every demo model, offered ones by `tools`; never twice in a row. */
function toolToCall({ model, tools, toolChoice, messages }: DemoChat): DemoTool | undefined {
  if (toolChoice === "none") return undefined;
  if (typeof toolChoice === "object") return tools.find(({ name }) => name === toolChoice.name);
  const answered = messages.at(-1)?.["role"] === "tool";
  const due = toolChoice === "required" || (model === "tools" && !answered);
  return due ? tools[0] : undefined;
}

function toolReply(chat: DemoChat, tool: DemoTool): DemoReply {
  const input = JSON.stringify(sampleOf(tool.parameters));
  return {
    text: "",
    // Unique within a conversation, and the same whenever it is repeated.
    toolCall: { id: `call_demo_${chat.messages.length}`, name: tool.name, arguments: input },
    finish: "tool_calls",
    usage: usageOf(chat, tool.name + input),
  };
}

function textFor(chat: DemoChat): string {
  const { type, json_schema: jsonSchema } = chat.responseFormat;
  const said = quote(lastText(chat, "user"));
  if (type === "json_schema") {
    const { schema } = asObject(jsonSchema);
    return JSON.stringify(sampleOf(isObject(schema) ? schema : { type: "object" }));
  }
  if (type === "json_object") return JSON.stringify({ demo: true, notice: NOTICE, youSaid: said });
  if (chat.messages.at(-1)?.["role"] === "tool") {
    return `${NOTICE} The tool answered: ${quote(lastText(chat, "tool"))}`;
  }
  return `${NOTICE} You said: ${said}`;
}

const lastText = ({ messages }: DemoChat, role: string): string =>
  messageText(messages.findLast((message) => message["role"] === role));

const quote = (text: string): string =>
  text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE).toWellFormed()}…` : text;

function cutText(text: string, chat: DemoChat): Pick<DemoReply, "text" | "finish"> {
  const stops = chat.stop.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  const stopped = text.slice(0, Math.min(text.length, ...stops));
  if (estimateTokens(stopped) <= chat.maxTokens) return { text: stopped, finish: "stop" };
  const words = piecesOf(stopped);
  let kept = "";
  for (const word of words) {
    if (estimateTokens(kept + word) > chat.maxTokens) break;
    kept += word;
  }
  return { text: kept, finish: "length" };
}

/** Words with the white space behind them: what a stream sends one by one. */
export const piecesOf = (text: string): readonly string[] => text.match(/\s*\S+\s*/g) ?? [];

function usageOf(chat: DemoChat, output: string): JsonObject {
  const prompt = promptTokens(chat);
  const completion = estimateTokens(output) * chat.choices;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

function promptTokens({ messages, tools }: DemoChat): number {
  const texts = messages.map((message) => asString(message["content"]) ?? messageText(message));
  const schemas = tools.length === 0 ? "" : JSON.stringify(tools);
  return texts.reduce((sum, text) => sum + 4 + estimateTokens(text), estimateTokens(schemas));
}
