import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import { safeToolName, withSafeToolNames } from "#pipeline/safe-tool-names.ts";

const LONG = `read.file/${"x".repeat(70)}`;

const request = (name: string, namespace?: string): ChatRequest => {
  const named = { name, ...(namespace !== undefined && { namespace }) };
  return {
    protocol: "openai-chat",
    model: "m",
    stream: false,
    tools: [
      { type: "function", ...named },
      { type: "function", name: "plain" },
    ],
    toolChoice: { type: "tool", ...named },
    messages: [
      {
        role: "assistant",
        content: [{ type: "tool-call", id: "c1", ...named, kind: "function", input: "{}" }],
      },
      {
        role: "tool",
        content: [{ type: "tool-result", toolCallId: "c1", kind: "function", name, content: [] }],
      },
    ],
  };
};

describe("safeToolName", () => {
  test("leaves names alone that all providers take", () => {
    expect(safeToolName("get_weather-2")).toBe("get_weather-2");
  });

  test("makes every other name one of them, always the same, and different for different names", () => {
    const names = ["a.b", "a/b", "a b", "2fast", "-x", "", "é", LONG, `${LONG}y`];
    const safe = names.map((name) => safeToolName(name));
    for (const name of safe) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
    expect(new Set(safe).size).toBe(names.length);
    expect(names.map((name) => safeToolName(name))).toEqual(safe);
  });
});

describe("withSafeToolNames", () => {
  test("does nothing where all names are safe", () => {
    expect(withSafeToolNames(request("weather"))).toBeUndefined();
  });

  test("renames the tool, the choice, the earlier call and its result alike", () => {
    const safe = safeToolName(LONG);
    const adapted = withSafeToolNames(request(LONG))?.request;
    expect(adapted?.tools?.map((tool) => "name" in tool && tool.name)).toEqual([safe, "plain"]);
    expect(adapted?.toolChoice).toEqual({ type: "tool", name: safe });
    expect(JSON.stringify(adapted?.messages)).not.toContain(LONG);
    expect(adapted?.messages.flatMap(({ content }) => content)).toMatchObject([
      { name: safe },
      { name: safe },
    ]);
  });

  test("gives calls the client's name back, whole and streamed", () => {
    const adaptation = withSafeToolNames(request("status", "mcp.git"));
    const name = safeToolName("mcp.git__status");
    const call = { type: "tool-call", id: "c", name, kind: "function", input: "{}" } as const;
    const restored = adaptation?.restoreResponse({
      id: "r",
      model: "m",
      candidates: [{ parts: [call], finishReason: "tool-calls" }],
    });
    expect(restored?.candidates[0]?.parts).toEqual([{ ...call, name: "mcp.git__status" }]);
    const restore = adaptation?.createRestorer();
    const start = { type: "tool-call-start", index: 0, id: "c", name, kind: "function" } as const;
    expect(restore?.(start)).toEqual({ ...start, name: "mcp.git__status" });
    expect(restore?.({ ...start, name: "plain" })).toEqual({ ...start, name: "plain" });
  });
});
