import { describe, expect, test } from "vitest";

import { joinPieces } from "#canonical/join-pieces.ts";
import type { Part } from "#canonical/message.ts";

const signature = { origin: "gemini", value: "token" } as const;

describe("joinPieces", () => {
  test("joins neighbours of one kind up to a signature", () => {
    const parts: Part[] = [
      { type: "reasoning", text: "a" },
      { type: "reasoning", text: "b" },
      { type: "reasoning", text: "", signature },
      { type: "reasoning", text: "c" },
      { type: "text", text: "d" },
      { type: "text", text: "e" },
    ];
    expect(joinPieces(parts)).toEqual([
      { type: "reasoning", text: "ab", signature },
      { type: "reasoning", text: "c" },
      { type: "text", text: "de" },
    ]);
  });

  test("leaves texts apart between which something else stands", () => {
    const call = { type: "tool-call", id: "1", name: "f", kind: "function", input: "" } as const;
    const parts: Part[] = [{ type: "text", text: "a" }, call, { type: "text", text: "b" }];
    expect(joinPieces(parts)).toEqual(parts);
  });
});
