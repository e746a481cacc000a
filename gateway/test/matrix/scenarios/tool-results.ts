import { mentions, some } from "../matches.ts";
import type { Scenario } from "../scenario.ts";
import { declared, type ByUpstream } from "./declared-tool.ts";

/** A conversation that ends with the result of a call, as each client writes it. */
export const result = (options: { error?: true; image?: true } = {}): Scenario["ask"] => {
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

/** The same as each provider must get it. */
export const answered: ByUpstream = {
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
