import { all, anyOf, mentions, some } from "../matches.ts";
import { HELLO, type ScenarioGroup } from "../scenario.ts";

const said = (text: string) =>
  anyOf(text, [{ type: "text", text }], [{ type: "input_text", text }]);

const RULE = "Answer in one word.";
const LATER = "From now on answer in French.";

export const CONVERSATION: ScenarioGroup = {
  title: "Conversation",
  scenarios: [
    {
      id: "text",
      title: "one user turn of text",
      ask: {
        "openai-chat": {},
        "openai-responses": {},
        "anthropic-messages": {},
        gemini: {},
      },
      sent: {
        "openai-chat": { messages: [{ role: "user", content: said("Say hello.") }] },
        "openai-responses": {
          input: anyOf("Say hello.", [{ role: "user", content: said("Say hello.") }]),
        },
        "anthropic-messages": { messages: [{ role: "user", content: said("Say hello.") }] },
        gemini: { contents: [{ role: "user", parts: [{ text: "Say hello." }] }] },
        "bedrock-converse": { messages: [{ role: "user", content: [{ text: "Say hello." }] }] },
        cohere: { messages: [{ role: "user", content: "Say hello." }] },
      },
      answer: HELLO,
      look: ["input", "output"],
    },
    {
      id: "system",
      title: "system instruction at the start",
      ask: {
        "openai-chat": {
          messages: [
            { role: "system", content: RULE },
            { role: "user", content: "Hi" },
          ],
        },
        "openai-responses": { instructions: RULE, input: [{ role: "user", content: "Hi" }] },
        "anthropic-messages": { system: RULE },
        gemini: { systemInstruction: { parts: [{ text: RULE }] } },
      },
      sent: {
        "openai-chat": {
          messages: some({ role: "system", content: said(RULE) }, { role: "user" }),
        },
        "openai-responses": anyOf(
          { instructions: RULE },
          { input: some({ role: "system", content: said(RULE) }, { role: "user" }) },
        ),
        "anthropic-messages": { system: said(RULE), messages: [{ role: "user" }] },
        gemini: {
          systemInstruction: { parts: [{ text: RULE }] },
          contents: [{ role: "user" }],
        },
        "bedrock-converse": { system: [{ text: RULE }], messages: [{ role: "user" }] },
        cohere: { messages: [{ role: "system", content: RULE }, { role: "user" }] },
      },
      answer: HELLO,
    },
    {
      id: "system-between",
      title: "system or developer message between the turns",
      ask: {
        "openai-chat": {
          messages: [
            { role: "user", content: "Hi" },
            { role: "assistant", content: "Hello" },
            { role: "developer", content: LATER },
            { role: "user", content: "Hi again" },
          ],
        },
        "openai-responses": {
          input: [
            { role: "user", content: "Hi" },
            { role: "assistant", content: "Hello" },
            { role: "developer", content: LATER },
            { role: "user", content: "Hi again" },
          ],
        },
        "anthropic-messages": {
          messages: [
            { role: "user", content: "Hi" },
            { role: "assistant", content: "Hello" },
            { role: "system", content: LATER },
            { role: "user", content: "Hi again" },
          ],
        },
        gemini: "contents have the roles user and model only",
      },
      sent: {
        "openai-chat": {
          messages: some({ role: "assistant" }, { content: said(LATER) }, { role: "user" }),
        },
        "openai-responses": {
          input: some({ role: "assistant" }, { content: said(LATER) }, { role: "user" }),
        },
        "anthropic-messages": { messages: some({ role: "assistant" }, { content: said(LATER) }) },
        gemini: {
          contents: some({ role: "model" }, { role: "user", parts: some({ text: LATER }) }),
        },
        "bedrock-converse": {
          messages: some({ role: "assistant" }, { role: "user", content: some({ text: LATER }) }),
        },
        cohere: {
          messages: some({ role: "assistant" }, { role: "system", content: LATER }),
        },
      },
      answer: HELLO,
    },
    {
      id: "multi-turn",
      title: "several turns",
      ask: {
        "openai-chat": {
          messages: [
            { role: "user", content: "One" },
            { role: "assistant", content: "Two" },
            { role: "user", content: "Three" },
          ],
        },
        "openai-responses": {
          input: [
            { role: "user", content: "One" },
            {
              role: "assistant",
              type: "message",
              content: [{ type: "output_text", text: "Two", annotations: [] }],
            },
            { role: "user", content: [{ type: "input_text", text: "Three" }] },
          ],
        },
        "anthropic-messages": {
          messages: [
            { role: "user", content: "One" },
            { role: "assistant", content: [{ type: "text", text: "Two" }] },
            { role: "user", content: "Three" },
          ],
        },
        gemini: {
          contents: [
            { role: "user", parts: [{ text: "One" }] },
            { role: "model", parts: [{ text: "Two" }] },
            { role: "user", parts: [{ text: "Three" }] },
          ],
        },
      },
      sent: {
        "openai-chat": {
          messages: [{ role: "user" }, { role: "assistant", content: "Two" }, { role: "user" }],
        },
        "openai-responses": {
          input: [
            { role: "user" },
            { role: "assistant", content: mentions("Two") },
            { role: "user", content: mentions("Three") },
          ],
        },
        "anthropic-messages": {
          messages: [
            { role: "user" },
            { role: "assistant", content: said("Two") },
            { role: "user" },
          ],
        },
        gemini: {
          contents: [
            { role: "user" },
            { role: "model", parts: [{ text: "Two" }] },
            { role: "user" },
          ],
        },
        "bedrock-converse": {
          messages: [
            { role: "user" },
            { role: "assistant", content: [{ text: "Two" }] },
            { role: "user", content: [{ text: "Three" }] },
          ],
        },
        cohere: {
          messages: all(
            [{ role: "user" }, { role: "assistant", content: "Two" }, { role: "user" }],
            mentions("Three"),
          ),
        },
      },
      answer: HELLO,
    },
  ],
};
