import { EventStreamCodec } from "@smithy/eventstream-codec";

import { asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";

import { pieces } from "./stream.ts";
import { forcedTool, optional, textOf, type Received, type Turn, type Wire } from "./wire.ts";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);

/** One message of an AWS event stream, checksums included. */
function frame(event: string, payload: JsonObject): Uint8Array {
  const header = (value: string) => ({ type: "string" as const, value });
  return codec.encode({
    headers: {
      ":event-type": header(event),
      ":content-type": header("application/json"),
      ":message-type": header("event"),
    },
    body: Buffer.from(JSON.stringify(payload)),
  });
}

const stopReason = ({ finish, calls }: Turn): string => {
  if (finish === "length") return "max_tokens";
  return calls === undefined ? "end_turn" : "tool_use";
};

const usageOf = ({ usage: { input, output } }: Turn): JsonObject => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: input + output,
});

function body(turn: Turn): JsonObject {
  const { reasoning, text, calls = [] } = turn;
  const content = [
    ...(reasoning === undefined ? [] : [{ reasoningContent: { reasoningText: { ...reasoning } } }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } })),
  ];
  return {
    output: { message: { role: "assistant", content } },
    stopReason: stopReason(turn),
    usage: usageOf(turn),
    metrics: { latencyMs: 12 },
  };
}

/** The deltas of each block; a tool's block is announced, the others begin with their first delta. */
function streamBlocks({ reasoning, text, calls = [] }: Turn): {
  start?: JsonObject;
  deltas: JsonObject[];
}[] {
  return [
    ...(reasoning === undefined
      ? []
      : [
          {
            deltas: [
              ...pieces(reasoning.text).map((piece) => ({ reasoningContent: { text: piece } })),
              { reasoningContent: { signature: reasoning.signature } },
            ],
          },
        ]),
    ...(text === undefined ? [] : [{ deltas: pieces(text).map((piece) => ({ text: piece })) }]),
    ...calls.map(({ id, name, args }) => ({
      start: { toolUse: { toolUseId: id, name } },
      deltas: pieces(JSON.stringify(args)).map((input) => ({ toolUse: { input } })),
    })),
  ];
}

function stream(turn: Turn): Buffer {
  const frames = [frame("messageStart", { role: "assistant" })];
  streamBlocks(turn).forEach(({ start, deltas }, at) => {
    const contentBlockIndex = at;
    if (start !== undefined) frames.push(frame("contentBlockStart", { contentBlockIndex, start }));
    for (const delta of deltas) {
      frames.push(frame("contentBlockDelta", { contentBlockIndex, delta }));
    }
    frames.push(frame("contentBlockStop", { contentBlockIndex }));
  });
  frames.push(
    frame("messageStop", { stopReason: stopReason(turn) }),
    frame("metadata", { usage: usageOf(turn), metrics: { latencyMs: 12 } }),
  );
  return Buffer.concat(frames);
}

function received(body: JsonObject): Received {
  const messages = asObjects(body["messages"]);
  const members = (name: string): JsonObject[] =>
    messages.flatMap(({ content }) =>
      asObjects(content).flatMap((block) => (name in block ? [asObject(block[name])] : [])),
    );
  const config = asObject(body["toolConfig"]);
  const choice = asObject(config["toolChoice"]);
  const tools = asObjects(config["tools"]).map((tool) =>
    String(asObject(tool["toolSpec"])["name"]),
  );
  const structure = asObject(asObject(asObject(body["outputConfig"])["textFormat"])["structure"]);
  const schema = asString(asObject(structure["jsonSchema"])["schema"]);
  return {
    system: textOf(body["system"]),
    user: messages
      .filter(({ role }) => role === "user")
      .map(({ content }) => textOf(content))
      .join("\n"),
    tools,
    ...forcedTool(tools, {
      named: asString(asObject(choice["tool"])["name"]),
      required: "any" in choice,
    }),
    calls: members("toolUse").map(({ toolUseId, name, input }) => ({
      id: String(toolUseId),
      name: String(name),
      args: asObject(input),
    })),
    results: members("toolResult").map(({ toolUseId, content }) => ({
      id: String(toolUseId),
      text: asObjects(content)
        .map((part) => asString(part["text"]) ?? JSON.stringify(part["json"]))
        .join(""),
    })),
    ...optional("schema", schema === undefined ? undefined : (JSON.parse(schema) as JsonObject)),
    thoughts: members("reasoningContent").map((block) => textOf(block["reasoningText"])),
    signatures: members("reasoningContent").flatMap(
      (block) => asString(asObject(block["reasoningText"])["signature"]) ?? [],
    ),
  };
}

export const BEDROCK_CONVERSE: Wire = {
  protocol: "bedrock-converse",
  streamType: "application/vnd.amazon.eventstream",
  wantsStream: (path) => path.endsWith("/converse-stream"),
  body,
  stream,
  error: (_status, message) => ({ message }),
  received,
};
