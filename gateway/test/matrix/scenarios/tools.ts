import type { JsonObject } from "#lib/json.ts";
import { all, anyOf, mentions, some } from "../matches.ts";
import type { Answer, Call, Scenario, ScenarioGroup } from "../scenario.ts";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const DESCRIPTION = "The weather of a city";

const usage = { input: 50, output: 12 };

const calling = (...calls: readonly Call[]): Answer => ({ calls, finish: "tool-calls", usage });

const PARIS: Call = { id: "call_paris_1", name: "weather", input: ['{"ci', 'ty":"Pa', 'ris"}'] };
const OSLO: Call = { id: "call_oslo_2", name: "weather", input: ['{"city":', '"Oslo"}'] };

/** The tool as each client declares it. */
function declared(name: string, schema: JsonObject = SCHEMA) {
  const declaration = { name, description: DESCRIPTION };
  return {
    "openai-chat": {
      tools: [{ type: "function", function: { ...declaration, parameters: schema } }],
    },
    "openai-responses": {
      tools: [{ type: "function", ...declaration, parameters: schema, strict: false }],
    },
    "anthropic-messages": { tools: [{ ...declaration, input_schema: schema }] },
    gemini: {
      tools: [{ functionDeclarations: [{ ...declaration, parametersJsonSchema: schema }] }],
    },
  };
}

/** The tool as each provider must get it. */
function received(name: unknown, schema: unknown = SCHEMA) {
  const declaration = { name, description: DESCRIPTION };
  return {
    "openai-chat": {
      tools: [{ type: "function", function: { ...declaration, parameters: schema } }],
    },
    "openai-responses": { tools: [{ type: "function", ...declaration, parameters: schema }] },
    "anthropic-messages": { tools: [{ ...declaration, input_schema: schema }] },
    gemini: {
      tools: [{ functionDeclarations: [{ ...declaration, parametersJsonSchema: schema }] }],
    },
    "bedrock-converse": {
      toolConfig: { tools: [{ toolSpec: { ...declaration, inputSchema: { json: schema } } }] },
    },
    cohere: { tools: [{ type: "function", function: { ...declaration, parameters: schema } }] },
  };
}

type ByUpstream = Scenario["sent"];

const both = (first: ByUpstream, second: Readonly<Record<string, unknown>>): ByUpstream =>
  Object.fromEntries(
    Object.entries(first).map(([key, value]) => [key, all(value, second[key] ?? {})]),
  ) as unknown as ByUpstream;

const merged = <Ask extends Scenario["ask"]>(first: Ask, second: Record<string, object>): Ask =>
  Object.fromEntries(
    Object.entries(first).map(([key, value]) => [
      key,
      typeof value === "string" ? value : { ...value, ...second[key] },
    ]),
  ) as Ask;

/** `[a-zA-Z0-9_-]{1,64}`: what all providers take. */
const safe = (actual: unknown): string | undefined =>
  typeof actual === "string" && /^[a-zA-Z0-9_-]{1,64}$/.test(actual)
    ? undefined
    : `is ${String(actual)}`;

const ODD_NAME = `mcp.files/read_${"x".repeat(60)}`;

const CUSTOM_INPUT = "*** Begin Patch";
const WRAPPED = JSON.stringify({ input: CUSTOM_INPUT });

const NAMESPACED = {
  type: "namespace",
  name: "mcp__git",
  description: "Git",
  tools: [
    {
      type: "function",
      name: "status",
      description: DESCRIPTION,
      parameters: SCHEMA,
      strict: false,
    },
  ],
};

const result = (options: { error?: true; image?: true } = {}): Scenario["ask"] => {
  const png = "iVBORw0KGgo=";
  const args = '{"city":"Paris"}';
  const { error, image } = options;
  return {
    "openai-chat": error
      ? "a tool message has no mark for failure"
      : {
          messages: [
            { role: "user", content: "Weather?" },
            {
              role: "assistant",
              content: null,
              tool_calls: [
                { id: "call_1", type: "function", function: { name: "weather", arguments: args } },
              ],
            },
            {
              role: "tool",
              tool_call_id: "call_1",
              content: image
                ? [
                    { type: "text", text: "sunny" },
                    { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
                  ]
                : "sunny",
            },
          ],
          ...declared("weather")["openai-chat"],
        },
    "openai-responses": error
      ? "a function_call_output has no mark for failure"
      : {
          input: [
            { role: "user", content: "Weather?" },
            { type: "function_call", call_id: "call_1", name: "weather", arguments: args },
            {
              type: "function_call_output",
              call_id: "call_1",
              output: image
                ? [
                    { type: "input_text", text: "sunny" },
                    { type: "input_image", image_url: `data:image/png;base64,${png}` },
                  ]
                : "sunny",
            },
          ],
          ...declared("weather")["openai-responses"],
        },
    "anthropic-messages": {
      messages: [
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "call_1", name: "weather", input: { city: "Paris" } }],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "call_1",
              content: image
                ? [
                    { type: "text", text: "sunny" },
                    {
                      type: "image",
                      source: { type: "base64", media_type: "image/png", data: png },
                    },
                  ]
                : "sunny",
              ...(error && { is_error: true }),
            },
          ],
        },
      ],
      ...declared("weather")["anthropic-messages"],
    },
    gemini: {
      contents: [
        { role: "user", parts: [{ text: "Weather?" }] },
        {
          role: "model",
          parts: [
            {
              functionCall: { id: "call_1", name: "weather", args: { city: "Paris" } },
              thoughtSignature: "CiQBgeminiThought==",
            },
          ],
        },
        {
          role: "user",
          parts: [
            {
              functionResponse: {
                id: "call_1",
                name: "weather",
                response: error ? { error: "sunny" } : { output: "sunny" },
                ...(image && { parts: [{ inlineData: { mimeType: "image/png", data: png } }] }),
              },
            },
          ],
        },
      ],
      ...declared("weather").gemini,
    },
  };
};

const answered: ByUpstream = {
  "openai-chat": {
    messages: some(
      {
        role: "assistant",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "weather" } }],
      },
      { role: "tool", tool_call_id: "call_1", content: mentions("sunny") },
    ),
  },
  "openai-responses": {
    input: some(
      { type: "function_call", call_id: "call_1", name: "weather" },
      { type: "function_call_output", call_id: "call_1", output: mentions("sunny") },
    ),
  },
  "anthropic-messages": {
    messages: some(
      {
        role: "assistant",
        content: some({ type: "tool_use", id: "call_1", input: { city: "Paris" } }),
      },
      {
        role: "user",
        content: some({ type: "tool_result", tool_use_id: "call_1", content: mentions("sunny") }),
      },
    ),
  },
  gemini: {
    contents: some(
      {
        role: "model",
        parts: some({ functionCall: { name: "weather", args: { city: "Paris" } } }),
      },
      {
        role: "user",
        parts: some({ functionResponse: { name: "weather", response: mentions("sunny") } }),
      },
    ),
  },
  "bedrock-converse": {
    messages: some(
      {
        role: "assistant",
        content: some({ toolUse: { toolUseId: "call_1", input: { city: "Paris" } } }),
      },
      {
        role: "user",
        content: some({ toolResult: { toolUseId: "call_1", content: mentions("sunny") } }),
      },
    ),
  },
  cohere: {
    messages: some(
      { role: "assistant", tool_calls: [{ id: "call_1", function: { name: "weather" } }] },
      { role: "tool", tool_call_id: "call_1", content: mentions("sunny") },
    ),
  },
};

const hello: Answer = { text: ["Hel", "lo"], finish: "stop", usage };

export const TOOLS: ScenarioGroup = {
  title: "Tools",
  scenarios: [
    {
      id: "tool-call",
      title: "a tool, forced; the call's arguments in fragments",
      ask: merged(declared("weather"), {
        "openai-chat": { tool_choice: { type: "function", function: { name: "weather" } } },
        "openai-responses": { tool_choice: { type: "function", name: "weather" } },
        "anthropic-messages": { tool_choice: { type: "tool", name: "weather" } },
        gemini: {
          toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } },
        },
      }),
      sent: both(received("weather"), {
        "openai-chat": { tool_choice: { type: "function", function: { name: "weather" } } },
        "openai-responses": { tool_choice: { type: "function", name: "weather" } },
        "anthropic-messages": { tool_choice: { type: "tool", name: "weather" } },
        gemini: {
          toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } },
        },
        "bedrock-converse": { toolConfig: { toolChoice: { tool: { name: "weather" } } } },
        cohere: { tool_choice: "REQUIRED" },
      }),
      answer: calling(PARIS),
      look: ["calls"],
    },
    {
      id: "tool-required",
      title: "any tool, forced",
      ask: merged(declared("weather"), {
        "openai-chat": { tool_choice: "required" },
        "openai-responses": { tool_choice: "required" },
        "anthropic-messages": { tool_choice: { type: "any" } },
        gemini: { toolConfig: { functionCallingConfig: { mode: "ANY" } } },
      }),
      sent: both(received("weather"), {
        "openai-chat": { tool_choice: "required" },
        "openai-responses": { tool_choice: "required" },
        "anthropic-messages": { tool_choice: { type: "any" } },
        gemini: { toolConfig: { functionCallingConfig: { mode: "ANY" } } },
        "bedrock-converse": { toolConfig: { toolChoice: { any: {} } } },
        cohere: { tool_choice: "REQUIRED" },
      }),
      answer: calling(PARIS),
      look: ["calls"],
    },
    {
      id: "tool-parallel",
      title: "two calls in one answer, after a text",
      ask: declared("weather"),
      sent: received("weather"),
      answer: { ...calling(PARIS, OSLO), text: ["Let me", " look."] },
      look: ["calls"],
    },
    {
      id: "tool-serial",
      title: "parallel calls switched off",
      ask: {
        ...merged(declared("weather"), {
          "openai-chat": { parallel_tool_calls: false },
          "openai-responses": { parallel_tool_calls: false },
          "anthropic-messages": {
            tool_choice: { type: "auto", disable_parallel_tool_use: true },
          },
        }),
        gemini: "the dialect cannot switch parallel calls off",
      },
      sent: {
        "openai-chat": { parallel_tool_calls: false },
        "openai-responses": { parallel_tool_calls: false },
        "anthropic-messages": { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      answer: calling(PARIS),
      look: ["calls"],
    },
    {
      id: "tool-no-arguments",
      title: "a tool without arguments",
      ask: declared("now", { type: "object", properties: {} }),
      sent: received("now", { type: "object" }),
      answer: calling({ id: "call_now_1", name: "now", input: [] }),
      look: ["calls"],
    },
    {
      id: "tool-custom",
      title: "a custom tool (free text)",
      ask: {
        "openai-chat": {
          tools: [{ type: "custom", custom: { name: "patch", description: DESCRIPTION } }],
        },
        "openai-responses": {
          tools: [{ type: "custom", name: "patch", description: DESCRIPTION }],
        },
        "anthropic-messages": "all tools take JSON",
        gemini: "all tools take JSON",
      },
      sent: {
        "openai-chat": anyOf(
          { tools: [{ type: "custom", custom: { name: "patch" } }] },
          { tools: [{ function: { name: "patch", parameters: { required: ["input"] } } }] },
        ),
        "openai-responses": { tools: [{ type: "custom", name: "patch" }] },
        "anthropic-messages": { tools: [{ name: "patch", input_schema: { required: ["input"] } }] },
        gemini: {
          tools: [
            {
              functionDeclarations: [
                { name: "patch", parametersJsonSchema: { required: ["input"] } },
              ],
            },
          ],
        },
        "bedrock-converse": {
          toolConfig: {
            tools: [
              { toolSpec: { name: "patch", inputSchema: { json: { required: ["input"] } } } },
            ],
          },
        },
        cohere: { tools: [{ function: { name: "patch", parameters: { required: ["input"] } } }] },
      },
      answer: calling({
        id: "call_patch_1",
        name: "patch",
        input: [WRAPPED.slice(0, 9), WRAPPED.slice(9)],
        custom: CUSTOM_INPUT,
      }),
      look: ["calls"],
    },
    {
      id: "tool-namespace",
      title: "Codex's namespace of tools",
      ask: {
        "openai-chat": "the dialect has no namespaces",
        "openai-responses": { tools: [NAMESPACED] },
        "anthropic-messages": "the dialect has no namespaces",
        gemini: "the dialect has no namespaces",
      },
      sent: {
        ...received("mcp__git__status"),
        // The client's own protocol: passed on as it is.
        "openai-responses": { tools: [{ type: "namespace", name: "mcp__git" }] },
      },
      answer: calling({
        id: "call_git_1",
        name: "mcp__git__status",
        namespace: "mcp__git",
        input: ["{}"],
      }),
      look: ["calls"],
    },
    {
      id: "tool-odd-name",
      title: "a tool whose name has characters, or a length, that providers refuse",
      ask: declared(ODD_NAME),
      sent: received(safe),
      // The byte-faithful lane changes no names: the provider's own client knows its rules.
      sentAsWritten: mentions(ODD_NAME),
      answer: calling({ id: "call_odd_1", name: ODD_NAME, input: ['{"city":"Rome"}'] }),
      look: ["calls"],
    },
    {
      id: "tool-result",
      title: "the result of a call",
      ask: result(),
      sent: answered,
      answer: hello,
    },
    {
      id: "tool-result-error",
      title: "the result of a call that failed",
      ask: result({ error: true }),
      sent: both(answered, {
        "anthropic-messages": { messages: mentions('"is_error":true') },
        gemini: { contents: mentions('"error":"sunny"') },
        "bedrock-converse": { messages: mentions('"status":"error"') },
      }),
      answer: hello,
    },
    {
      id: "tool-result-image",
      title: "the result of a call with an image",
      ask: result({ image: true }),
      sent: {
        ...both(
          answered,
          Object.fromEntries(Object.keys(answered).map((name) => [name, mentions("iVBORw0KGgo=")])),
        ),
        cohere: null,
      },
      answer: hello,
    },
  ],
};
