import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { OperationName } from "#canonical/operation-name.ts";
import type { JsonObject } from "#lib/json.ts";

/** One way to ask: a route of the table, a model whose provider speaks its protocol or another. */
export interface Ask {
  readonly name: string;
  readonly path: string;
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
  readonly streamed: boolean;
  readonly body: (text: string) => JsonObject;
}

const PARAMETERS = { type: "object", properties: { to: { type: "string" } } };

/** A conversation in each dialect with the text wherever text can stand: `PLACES` times. */
const CHAT_BODIES: Readonly<Record<ClientProtocol, (text: string) => JsonObject>> = {
  "openai-chat": (text) => ({
    messages: [
      { role: "system", content: text },
      { role: "user", content: [{ type: "text", text }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "look_up", arguments: JSON.stringify({ to: text }) },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: text },
    ],
    tools: [{ type: "function", function: { name: "look_up", parameters: PARAMETERS } }],
  }),
  "openai-completions": (text) => ({ prompt: text }),
  "openai-responses": (text) => ({
    instructions: text,
    input: [
      { type: "message", role: "user", content: [{ type: "input_text", text }] },
      {
        type: "function_call",
        call_id: "call_1",
        name: "look_up",
        arguments: JSON.stringify({ to: text }),
      },
      { type: "function_call_output", call_id: "call_1", output: text },
    ],
    tools: [{ type: "function", name: "look_up", parameters: PARAMETERS }],
  }),
  "anthropic-messages": (text) => ({
    max_tokens: 100,
    system: [{ type: "text", text }],
    messages: [
      { role: "user", content: text },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "toolu_1", name: "look_up", input: { to: text } }],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: text }] },
    ],
    tools: [{ name: "look_up", input_schema: PARAMETERS }],
  }),
  gemini: (text) => ({
    systemInstruction: { parts: [{ text }] },
    contents: [
      { role: "user", parts: [{ text }] },
      { role: "model", parts: [{ functionCall: { name: "look_up", args: { to: text } } }] },
      {
        role: "user",
        parts: [{ functionResponse: { name: "look_up", response: { found: text } } }],
      },
    ],
    tools: [{ functionDeclarations: [{ name: "look_up", parameters: PARAMETERS }] }],
  }),
};

const OPERATION_BODIES: Readonly<
  Partial<Record<OperationName, { readonly model: string; body: (text: string) => JsonObject }>>
> = {
  embeddings: {
    model: "openai/text-embedding-3-small",
    body: (text) => ({ input: ["first", text] }),
  },
  rerank: {
    model: "cohere/rerank-v3.5",
    body: (text) => ({ query: text, documents: [text, "other"] }),
  },
  moderations: {
    model: "openai/omni-moderation-latest",
    body: (text) => ({ input: [{ type: "text", text }] }),
  },
};

/** At a provider that speaks the dialect, and at one that speaks another. */
const CHAT_MODELS: Readonly<Record<ClientProtocol, readonly string[]>> = {
  "openai-chat": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"],
  "openai-completions": ["openai/gpt-4o-mini"],
  "openai-responses": ["openai/gpt-4o-mini", "groq/openai/gpt-oss-120b"],
  "anthropic-messages": ["anthropic/claude-haiku-4-5", "groq/openai/gpt-oss-120b"],
  gemini: ["google/gemini-2.5-flash", "groq/openai/gpt-oss-120b"],
};

interface RouteOf {
  readonly path: string;
  readonly operation: OperationName;
  readonly protocol: ClientProtocol;
}

/** All ways to ask at a route whose model stands in the body. */
export function asksOf({ path, operation, protocol }: RouteOf): readonly Ask[] {
  const common = { operation, protocol, path: `/v1${path}` };
  const other = OPERATION_BODIES[operation];
  if (other !== undefined) {
    const { model, body } = other;
    const name = `${path} at ${model}`;
    return [{ ...common, name, streamed: false, body: (text) => ({ model, ...body(text) }) }];
  }
  const streams = operation === "chat" ? [false, true] : [false];
  return CHAT_MODELS[protocol].flatMap((model) =>
    streams.map((streamed) => ({
      ...common,
      name: `${path} at ${model}${streamed ? ", streamed" : ""}`,
      streamed,
      body: (text: string) => ({
        model,
        ...(operation === "chat" && { stream: streamed }),
        ...CHAT_BODIES[protocol](text),
      }),
    })),
  );
}

/** All ways to ask Gemini's dialect by a verb: model and verb stand in the path. */
export function geminiAsksOf(verb: string, operation: OperationName): readonly Ask[] {
  const streamed = verb.startsWith("stream");
  const forms = streamed ? ["?alt=sse", ""] : [""];
  return CHAT_MODELS.gemini.flatMap((model) =>
    forms.map((form) => ({
      name: `${verb}${form} at ${model}`,
      path: `/v1beta/models/${model}:${verb}${form}`,
      operation,
      protocol: "gemini" as const,
      streamed,
      body: CHAT_BODIES.gemini,
    })),
  );
}
