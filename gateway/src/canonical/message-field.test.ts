import { describe, expect, test } from "vitest";

import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { Message } from "#canonical/message.ts";
import { messageField } from "#canonical/message-field.ts";

const request = (protocol: ClientProtocol, ...roles: Message["role"][]) => ({
  protocol,
  model: "m",
  stream: false,
  messages: roles.map((role) => ({ role, content: [] })),
});

describe("messageField", () => {
  test("counts as the client does", () => {
    expect(messageField(request("openai-chat", "system", "user"), 1)).toBe("messages[1]");
    expect(messageField(request("anthropic-messages", "system", "user"), 1)).toBe("messages[0]");
    expect(messageField(request("anthropic-messages", "system", "user"), 0)).toBe("system");
    expect(messageField(request("anthropic-messages", "user", "system"), 1)).toBe("messages[1]");
    expect(messageField(request("gemini", "system", "user"), 1)).toBe("contents[0]");
    expect(messageField(request("gemini", "system", "user"), 0)).toBe("systemInstruction");
    expect(messageField(request("gemini", "user"), 0)).toBe("contents[0]");
  });
});
