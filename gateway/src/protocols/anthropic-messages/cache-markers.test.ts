import { describe, expect, test, vi } from "vitest";

import { boundCacheMarkers } from "./cache-markers.ts";

const marked = (text: string) => ({ type: "text", text, cache_control: { type: "ephemeral" } });

describe("boundCacheMarkers", () => {
  test("keeps the last four in the order in which they are read", () => {
    const reportLoss = vi.fn();
    const body = {
      tools: [{ name: "t", cache_control: { type: "ephemeral" } }],
      system: [marked("a")],
      messages: [
        { role: "user", content: [marked("b"), marked("c")] },
        { role: "assistant", content: "d" },
        { role: "user", content: [marked("e"), marked("f")] },
      ],
    };
    expect(boundCacheMarkers(body, reportLoss)).toEqual({
      ...body,
      tools: [{ name: "t" }],
      system: [{ type: "text", text: "a" }],
    });
    expect(reportLoss).toHaveBeenCalledOnce();
  });

  test("changes nothing up to four", () => {
    const reportLoss = vi.fn();
    const body = { messages: [{ role: "user", content: [marked("a"), marked("b")] }] };
    expect(boundCacheMarkers(body, reportLoss)).toBe(body);
    expect(reportLoss).not.toHaveBeenCalled();
  });
});
