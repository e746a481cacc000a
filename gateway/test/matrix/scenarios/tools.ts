import { anyOf, mentions } from "../matches.ts";
import type { Answer, Call, ScenarioGroup } from "../scenario.ts";
import { both, declared, DESCRIPTION, merged, received, SCHEMA } from "./declared-tool.ts";
import { answered, result } from "./tool-results.ts";

const usage = { input: 50, output: 12 };

const calling = (...calls: readonly Call[]): Answer => ({ calls, finish: "tool-calls", usage });

const PARIS: Call = { id: "call_paris_1", name: "weather", input: ['{"ci', 'ty":"Pa', 'ris"}'] };
const OSLO: Call = { id: "call_oslo_2", name: "weather", input: ['{"city":', '"Oslo"}'] };

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
