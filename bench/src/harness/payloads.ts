/** A catalogue model of OpenAI's, with a price: what the gateway costs includes the metering. */
export const MODEL = "gpt-4o-mini";

const SENTENCE =
  "The harbour master writes down every ship that enters, its cargo, its port of origin and the tide. ";

const textOf = (length: number): string =>
  SENTENCE.repeat(Math.ceil(length / SENTENCE.length)).slice(0, length);

const TOOL = {
  name: "read_file",
  description: "Reads a file of the workspace and returns its lines with numbers.",
  schema: {
    type: "object",
    properties: {
      path: { type: "string", description: "Path relative to the workspace" },
      offset: { type: "integer", minimum: 0 },
      limit: { type: "integer", minimum: 1, maximum: 2000 },
    },
    required: ["path"],
  },
};

/** Turns of a conversation, alternately user and assistant, about `bytes` of text in all. */
function turns(bytes: number): { role: "user" | "assistant"; content: string }[] {
  const count = bytes < 4_000 ? 1 : 25;
  return Array.from({ length: count }, (_, at) => ({
    role: at % 2 === 0 ? "user" : "assistant",
    content: textOf(Math.floor(bytes / count)),
  }));
}

interface RequestShape {
  /** Size of the body, about. 48 kB is a turn of a coding agent. */
  readonly bytes: number;
  readonly stream: boolean;
}

const TOOLS_BYTES = 350;
const FRAME_BYTES = 250;

const withTools = (bytes: number): boolean => bytes > 4_000;
const toolCount = (bytes: number): number => (withTools(bytes) ? 20 : 0);
const proseBytes = (bytes: number): number => bytes - FRAME_BYTES - toolCount(bytes) * TOOLS_BYTES;

/** A Chat Completions request. */
export function chatRequest({ bytes, stream }: RequestShape): string {
  const tools = Array.from({ length: toolCount(bytes) }, (_, at) => ({
    type: "function",
    function: {
      name: `${TOOL.name}_${at}`,
      description: TOOL.description,
      parameters: TOOL.schema,
    },
  }));
  return JSON.stringify({
    model: MODEL,
    temperature: 0.2,
    max_tokens: 1_000,
    messages: [
      { role: "system", content: "You answer in short sentences." },
      ...turns(proseBytes(bytes)),
    ],
    ...(tools.length > 0 && { tools }),
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
  });
}

/** The same request as Anthropic's clients write it. */
export function messagesRequest({ bytes, stream }: RequestShape): string {
  const tools = Array.from({ length: toolCount(bytes) }, (_, at) => ({
    name: `${TOOL.name}_${at}`,
    description: TOOL.description,
    input_schema: TOOL.schema,
  }));
  return JSON.stringify({
    model: `openai/${MODEL}`,
    temperature: 0.2,
    max_tokens: 1_000,
    system: "You answer in short sentences.",
    messages: turns(proseBytes(bytes)),
    ...(tools.length > 0 && { tools }),
    ...(stream && { stream: true }),
  });
}

const USAGE = {
  prompt_tokens: 212,
  completion_tokens: 118,
  total_tokens: 330,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

const HEAD = {
  id: "chatcmpl-CxQ2mVdZ7uT0sLr9pKfYw4BnHgJe",
  created: 1_790_000_000,
  model: `${MODEL}-2024-07-18`,
  service_tier: "default",
  system_fingerprint: "fp_560af6e559",
};

/** A Chat Completions answer of about 1.2 kB. */
export const CHAT_ANSWER = JSON.stringify({
  ...HEAD,
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: textOf(560), refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: USAGE,
});

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({
    ...HEAD,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  })}\n\n`;

/** The pieces of a stream, each to be written by itself; events of about 250 bytes. */
export function chatStream(events: number): readonly string[] {
  const words = SENTENCE.split(/(?<= )/);
  const contents = Array.from({ length: events }, (_, at) =>
    chunk({ content: words[at % words.length] }, null),
  );
  const usage = `data: ${JSON.stringify({ ...HEAD, object: "chat.completion.chunk", choices: [], usage: USAGE })}\n\n`;
  // The role comes with the first word, so that the first byte is the first content too.
  const first =
    chunk({ role: "assistant", content: "", refusal: null }, null) + (contents[0] ?? "");
  return [first, ...contents.slice(1), `${chunk({}, "stop")}${usage}data: [DONE]\n\n`];
}
