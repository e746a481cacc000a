import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";

import { dataEvents, pieces } from "./stream.ts";
import { forcedTool, optional, textOf, type Received, type Turn, type Wire } from "./wire.ts";

const usageOf = ({ usage: { input, output } }: Turn): JsonObject => ({
  promptTokenCount: input,
  candidatesTokenCount: output,
  totalTokenCount: input + output,
});

/** Calls carry no id here, as Gemini's own API sends them; the signature stands on the first call. */
function callParts({ calls = [], reasoning }: Turn): JsonObject[] {
  return calls.map(({ name, args }, at) => ({
    functionCall: { name, args },
    ...(at === 0 && optional("thoughtSignature", reasoning?.signature)),
  }));
}

const answer = (parts: readonly JsonObject[], turn: Turn, last = true): JsonObject => ({
  candidates: [
    {
      content: { role: "model", parts },
      ...(last && { finishReason: turn.finish === "length" ? "MAX_TOKENS" : "STOP" }),
      index: 0,
    },
  ],
  usageMetadata: usageOf(turn),
  modelVersion: "upstream-model",
  responseId: "gemini-up1",
});

function body(turn: Turn): JsonObject {
  const { reasoning, text } = turn;
  return answer(
    [
      ...(reasoning === undefined ? [] : [{ text: reasoning.text, thought: true }]),
      ...(text === undefined ? [] : [{ text }]),
      ...callParts(turn),
    ],
    turn,
  );
}

function stream(turn: Turn): Buffer {
  const thoughts = pieces(turn.reasoning?.text ?? "").map((text) => [{ text, thought: true }]);
  const texts = pieces(turn.text ?? "").map((text) => [{ text }]);
  const calls = callParts(turn).map((part) => [part]);
  return dataEvents([
    ...[...thoughts, ...texts, ...calls].map((parts) => answer(parts, turn, false)),
    answer([{ text: "" }], turn),
  ]);
}

/** A member under its JSON name or, as Google's own SDKs may write it, in snake case. */
const member = (object: JsonObject, name: string): unknown =>
  object[name] ?? object[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];

function received(body: JsonObject): Received {
  const contents = asObjects(body["contents"]);
  const parts = contents.flatMap((content) => asObjects(content["parts"]));
  const config = asObject(member(body, "generationConfig"));
  const calling = asObject(asObject(member(body, "toolConfig"))["functionCallingConfig"]);
  const tools = asObjects(body["tools"])
    .flatMap((tool) => asObjects(member(tool, "functionDeclarations")))
    .map(({ name }) => String(name));
  const allowed = asArray(calling["allowedFunctionNames"]);
  return {
    system: textOf(asObject(member(body, "systemInstruction"))["parts"]),
    user: contents
      .filter(({ role }) => role !== "model")
      .map((content) => textOf(content["parts"]))
      .join("\n"),
    tools,
    ...forcedTool(tools, {
      named: allowed.length === 1 ? asString(allowed[0]) : undefined,
      required: calling["mode"] === "ANY",
    }),
    calls: parts.flatMap((part) => {
      const call = part["functionCall"];
      if (call === undefined) return [];
      const { id, name, args } = asObject(call);
      return [{ id: asString(id) ?? "", name: String(name), args: asObject(args) }];
    }),
    results: parts.flatMap((part) => {
      if (part["functionResponse"] === undefined) return [];
      const { name, response } = asObject(part["functionResponse"]);
      return [{ id: String(name), text: JSON.stringify(response) }];
    }),
    ...optional(
      "schema",
      (config["responseJsonSchema"] ?? config["responseSchema"]) as JsonObject | undefined,
    ),
    thoughts: contents
      .filter(({ role }) => role === "model")
      .map(({ parts: own }) => textOf(asObjects(own).filter((part) => part["thought"] === true))),
    signatures: parts.flatMap((part) => asString(member(part, "thoughtSignature")) ?? []),
  };
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

export const GEMINI: Wire = {
  protocol: "gemini",
  streamType: "text/event-stream",
  wantsStream: (path) => path.includes(":streamGenerateContent"),
  body,
  stream,
  error: (status, message) => ({
    error: { code: status, message, status: STATUS_NAMES[status] ?? "INTERNAL" },
  }),
  received,
};
