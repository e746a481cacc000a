import { describe, expect, test } from "vitest";

import type { StreamParser } from "#protocols/codec.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { everySplit, everySplitSse, splitPositions, sseEvents } from "./every-split.ts";
import { streamFaults } from "./well-formed.ts";

describe("everySplit", () => {
  test("finds a parser that a cut changes", () => {
    const bytes = Buffer.from("data: a\n\n");
    expect(() => everySplit(bytes, (chunks) => chunks.length)).toThrow("after byte 1");
    expect(everySplit(bytes, (chunks) => Buffer.concat([...chunks]).toString())).toBe(
      "data: a\n\n",
    );
  });

  test("cuts small streams everywhere, and large ones at every byte of both ends", () => {
    expect(splitPositions(5)).toEqual([1, 2, 3, 4]);
    const large = splitPositions(100_000);
    expect(large.length).toBeGreaterThan(2 * 4096 + 490);
    expect(large.slice(0, 4096)).toEqual(Array.from({ length: 4096 }, (_, at) => at + 1));
    expect(large.at(-1)).toBe(99_999);
  });
});

describe("everySplitSse", () => {
  const parser = (): StreamParser => ({
    push: ({ data }) => [{ type: "text-delta", index: 0, text: data }],
    end: () => [],
  });

  test("gives the events of the whole stream, with every line ending", () => {
    for (const end of ["\n", "\r\n"]) {
      const bytes = Buffer.from(
        `data: ä${end}${end}: ping${end}${end}event: x${end}data: b${end}${end}`,
      );
      const events = everySplitSse(bytes, parser);
      expect(events.map((event) => ("text" in event ? event.text : ""))).toEqual(["ä", "b"]);
      expect(sseEvents([bytes])).toEqual([{ data: "ä" }, { event: "x", data: "b" }]);
    }
  });
});

describe("streamFaults", () => {
  const cases: [string, StreamEvent[], number][] = [
    [
      "nothing",
      [
        { type: "text-start", index: 0 },
        { type: "text-end", index: 0 },
      ],
      0,
    ],
    ["a block that stays open", [{ type: "text-start", index: 0 }], 1],
    ["a delta without a start", [{ type: "text-delta", index: 0, text: "" }], 1],
    [
      "an end of another kind",
      [
        { type: "text-start", index: 0 },
        { type: "reasoning-end", index: 0 },
      ],
      2,
    ],
    [
      "a second finish",
      [
        { type: "finish", reason: "stop" },
        { type: "finish", reason: "stop" },
      ],
      1,
    ],
    ["a negative count", [{ type: "usage", usage: { inputTokens: -1, outputTokens: 0 } }], 1],
    [
      "an index that comes back",
      [
        { type: "text-start", index: 0 },
        { type: "text-end", index: 0 },
        { type: "part", index: 0, part: { type: "refusal", text: "" } },
      ],
      1,
    ],
  ];
  test.each(cases)("finds %s", (_, events, count) => {
    expect(streamFaults(events)).toHaveLength(count);
  });
});
