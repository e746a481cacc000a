import { asObject, asObjects, isObject, asString, type JsonObject } from "#lib/json.ts";
import { recordings, responseBytes, type Recording } from "#test/corpus.ts";
import { bytes, type Script } from "#test/fake-upstream.ts";
import { type Upstream, UPSTREAMS } from "#test/sdk/upstreams.ts";

/** Whose recorded answers stand for an upstream. */
const RECORDED_AS = new Map<Upstream, { readonly provider: string; readonly endpoint: RegExp }>([
  [UPSTREAMS.openai, { provider: "openai", endpoint: /^openai\.chat$/ }],
  [UPSTREAMS.chatOnly, { provider: "groq", endpoint: /^openai\.chat$/ }],
  [UPSTREAMS.responses, { provider: "openai", endpoint: /^openai\.responses$/ }],
  [UPSTREAMS.anthropic, { provider: "anthropic", endpoint: /^anthropic\.messages$/ }],
  [UPSTREAMS.google, { provider: "gemini", endpoint: /^gemini\.(?:streamG|g)enerateContent$/ }],
  [UPSTREAMS.bedrock, { provider: "bedrock", endpoint: /^bedrock\.converse(?:-stream)?$/ }],
  [UPSTREAMS.cohere, { provider: "cohere", endpoint: /^cohere\.v2\.chat$/ }],
]);

/**
 * Answers that a plain question could have got: the SDKs are told of no tools, and several choices
 * or spoken answers are not asked for.
 */
const BESIDE_THE_QUESTION =
  /tool_call|custom_tool|server_tool|code_execution|n>1|audio_out|refusal|error|background|mcp/;

/** The recorded answers of an upstream to plain questions, streamed or whole. */
export function recordedAnswers(upstream: Upstream, streamed: boolean): readonly Recording[] {
  const from = RECORDED_AS.get(upstream);
  return recordings().filter(
    ({ provider, endpoint, stream, features, response }) =>
      provider === from?.provider &&
      from.endpoint.test(endpoint) &&
      stream === streamed &&
      response.status === 200 &&
      // Gemini's list of events in one body is what only `alt=sse` leaves out: nobody asks for it.
      (response.sse !== undefined ||
        response.eventstream_b64 !== undefined ||
        isObject(response.body)) &&
      !features.some((feature) => BESIDE_THE_QUESTION.test(feature)),
  );
}

/** The size of the reads in which streams arrive: lines and events are cut anywhere. */
const PIECE = 997;

/** Answers with the recorded bytes. */
export const replay = (recording: Recording): Script =>
  bytes(responseBytes(recording), {
    type: recording.response.headers["content-type"] ?? "application/json",
    pieceSize: PIECE,
  });

const texts = (parts: unknown, type?: string): string =>
  asObjects(parts)
    .filter((part) => type === undefined || part["type"] === type)
    .filter((part) => part["thought"] !== true)
    .map((part) => asString(part["text"]) ?? "")
    .join("");

const member = (object: unknown, ...path: readonly string[]): JsonObject =>
  path.reduce<JsonObject>((at, key) => asObject(at[key]), asObject(object));

/** The text of one body or one event; read apart from the gateway's own parsers. */
const TEXT_IN: Readonly<Record<string, (data: JsonObject) => string>> = {
  "openai.chat": (data) => {
    const [choice] = asObjects(data["choices"]);
    const { content } = { ...asObject(choice?.["message"]), ...asObject(choice?.["delta"]) } as {
      content?: unknown;
    };
    return asString(content) ?? "";
  },
  "openai.responses": (data) => {
    if (data["type"] === "response.output_text.delta") return asString(data["delta"]) ?? "";
    return asObjects(data["output"])
      .map((item) => texts(item["content"], "output_text"))
      .join("");
  },
  "anthropic.messages": (data) =>
    texts(data["content"], "text") +
    texts([data["content_block"]], "text") +
    texts([data["delta"]], "text_delta"),
  gemini: (data) => texts(member(asObjects(data["candidates"])[0], "content")["parts"]),
  bedrock: (data) => texts(member(data, "output", "message")["content"]) + texts([data["delta"]]),
  cohere: (data) => {
    const { content } = member(data, "message");
    const delta = member(data, "delta", "message")["content"];
    return texts(content, "text") + texts([delta]);
  },
};

/** The text of a recorded answer. */
export function recordedText({ endpoint, response }: Recording): string {
  const read = TEXT_IN[endpoint] ?? TEXT_IN[endpoint.split(".")[0] ?? ""];
  if (read === undefined) throw new Error(`no reader of ${endpoint}`);
  return dataOf(response).map(read).join("");
}

function dataOf(response: Recording["response"]): readonly JsonObject[] {
  if (response.sse !== undefined) {
    return response.sse.flatMap((frame) => {
      const data = /^data: ?(\{.*)$/m.exec(frame)?.[1];
      return data === undefined ? [] : [JSON.parse(data) as JsonObject];
    });
  }
  if (response.events !== undefined)
    return response.events.map((event) => member(event, "payload"));
  return [asObject(response.body)];
}
