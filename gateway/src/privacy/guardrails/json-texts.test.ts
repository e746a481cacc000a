import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { mapJsonTexts } from "#privacy/guardrails/json-texts.ts";
import { redactText } from "#privacy/redact.ts";

const redact = (value: unknown): unknown =>
  JSON.parse(mapJsonTexts(JSON.stringify(value), ({ value: text }) => redactText(text)));

describe("mapJsonTexts", () => {
  test("reaches every text and leaves the rest byte for byte", () => {
    const json =
      '{ "model":"m", "messages" : [ {"role":"user","content":"ada@example.org \\u00e9"} ], "n":1 }';
    expect(mapJsonTexts(json, ({ value }) => redactText(value))).toBe(
      '{ "model":"m", "messages" : [ {"role":"user","content":"[email] é"} ], "n":1 }',
    );
    expect(mapJsonTexts(json, ({ value }) => value)).toBe(json);
  });

  test("goes into JSON that is text, names and long numbers too, and leaves it JSON", () => {
    const inner = JSON.stringify({
      "ada@example.org": { card: 4111111111111111, id: "bob@example.org" },
    });
    expect(redact({ messages: [{ tool_calls: [{ function: { arguments: inner } }] }] })).toEqual({
      messages: [
        {
          tool_calls: [{ function: { arguments: '{"[email]":{"card":"[card]","id":"[email]"}}' } }],
        },
      ],
    });
  });

  test("an escaped sign hides nothing", () => {
    expect(
      mapJsonTexts('{"prompt":"ada\\u0040example.org"}', ({ value }) => redactText(value)),
    ).toBe('{"prompt":"[email]"}');
  });

  test("ids, kinds and signatures are left alone, except in the caller's own data", () => {
    const secret = "aB3dE5fG7hJ9kL1mN3pQ5rS7";
    const kept = {
      messages: [{ id: secret, signature: secret, tool_call_id: secret, type: secret }],
    };
    expect(redact(kept)).toEqual(kept);
    expect(redact({ messages: [{ input: { id: secret, type: secret } }] })).toEqual({
      messages: [{ input: { id: "[secret]", type: "[secret]" } }],
    });
    expect(redact({ input: [secret] })).toEqual({ input: ["[secret]"] });
  });

  test("pictures and files are not text; documents of text are", () => {
    const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg";
    const kept = {
      messages: [
        {
          content: [
            { source: { type: "base64", data } },
            { image_url: { url: `data:image/png;base64,${data}` } },
          ],
        },
      ],
    };
    expect(redact(kept)).toEqual(kept);
    expect(
      redact({ messages: [{ source: { type: "text", data: "mail ada@example.org" } }] }),
    ).toEqual({
      messages: [{ source: { type: "text", data: "mail [email]" } }],
    });
  });

  test("any document stays what it was where nothing changes, and JSON where all does", () => {
    fc.assert(
      fc.property(fc.object(), (value) => {
        const json = JSON.stringify(value);
        expect(mapJsonTexts(json, ({ value: text }) => text)).toBe(json);
        JSON.parse(mapJsonTexts(json, () => 'x"\\\n'));
      }),
    );
  });
});
