import { describe, expect, test } from "vitest";

import type { Message, Part } from "#canonical/message.ts";
import type { Signature } from "#canonical/signature.ts";

import { joinThoughts } from "./join-thoughts.ts";

const thought = (text: string, signature?: Signature): Part => ({
  type: "reasoning",
  text,
  ...(signature !== undefined && { signature }),
});
const model = (...content: Part[]): Message => ({ role: "assistant", content });
const SIGNED: Signature = { origin: "anthropic", value: "EqUD" };
const answer: Part = { type: "text", text: "Hi" };

describe("joinThoughts", () => {
  test("joins pieces up to the one that is signed", () => {
    const parts = [thought("a"), thought("b", SIGNED), thought("c"), thought("d", SIGNED), answer];
    expect(joinThoughts([model(...parts)])).toEqual([
      model(thought("ab", SIGNED), thought("cd", SIGNED), answer),
    ]);
  });

  test("joins pieces that came back as contents of their own", () => {
    const user: Message = { role: "user", content: [answer] };
    expect(
      joinThoughts([user, model(thought("a")), model(thought("b", SIGNED)), model(answer), user]),
    ).toEqual([user, model(thought("ab", SIGNED), answer), user]);
  });

  test("leaves a redacted thought whole", () => {
    const redacted = thought("", { ...SIGNED, redacted: true });
    expect(joinThoughts([model(thought("a"), redacted)])).toEqual([model(thought("a"), redacted)]);
  });
});
