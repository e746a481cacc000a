import { describe, expect, test } from "vitest";

import type { Message, Part } from "#canonical/message.ts";
import { resultsInCallOrder } from "./result-order.ts";

const calls = (...ids: string[]): Message => ({
  role: "assistant",
  content: ids.map((id) => ({ type: "tool-call", id, name: "run", kind: "function", input: "{}" })),
});
const result = (toolCallId: string): Part => ({
  type: "tool-result",
  toolCallId,
  kind: "function",
  content: [],
});
const text = (words: string): Part => ({ type: "text", text: words });
const tool = (...content: Part[]): Message => ({ role: "tool", content });
const user = (...content: Part[]): Message => ({ role: "user", content });

describe("resultsInCallOrder", () => {
  test("puts results of one message into the order of their calls", () => {
    const messages = [calls("a", "b"), user(result("b"), text("and"), result("a"))];
    expect(resultsInCallOrder(messages)).toEqual([
      calls("a", "b"),
      user(result("a"), text("and"), result("b")),
    ]);
  });

  test("puts results of several messages into the order of their calls", () => {
    const messages = [
      calls("a", "b", "c"),
      tool(result("c")),
      tool(result("a")),
      tool(result("b")),
    ];
    expect(resultsInCallOrder(messages).slice(1)).toEqual([
      tool(result("a")),
      tool(result("b")),
      tool(result("c")),
    ]);
  });

  test("keeps the results of each turn in it, also where a model gives ids again", () => {
    const messages = [
      calls("a", "b"),
      tool(result("a"), result("b")),
      calls("b", "a"),
      tool(result("a"), result("b")),
    ];
    expect(resultsInCallOrder(messages).at(-1)).toEqual(tool(result("b"), result("a")));
    expect(resultsInCallOrder(messages)[1]).toEqual(messages[1]);
  });

  test("leaves results without a call behind the others", () => {
    const messages = [calls("a"), tool(result("x"), result("a"))];
    expect(resultsInCallOrder(messages)[1]).toEqual(tool(result("a"), result("x")));
  });
});
