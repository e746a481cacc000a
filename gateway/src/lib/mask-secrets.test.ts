import { describe, expect, test } from "vitest";

import { callerMessage, maskSecrets } from "./mask-secrets.ts";

describe("maskSecrets", () => {
  test.each([
    ["Incorrect API key provided: sk-proj-abcd1234efgh5678.", "sk-proj"],
    ["Incorrect API key provided: sk-abcd**********wxyz.", "wxyz"],
    ["invalid x-api-key sk-ant-api03-AAAA_bbbb-1234", "AAAA"],
    ["API key not valid: AIzaSyA1234567890abcdefg", "AIza"],
    ["Rate limit for org-9aBcD3fGh1JkLmNo on tokens", "9aBcD3"],
    ["Request had token Bearer abcdef.ghijkl-123", "abcdef"],
    ["arn:aws:bedrock:us-east-1:123456789012:model/x is denied", "123456789012"],
    ["consumer 'project_number:1234567890' is disabled", "1234567890"],
    ["Permission denied on resource project my-proj-4711.", "4711"],
    ["Your team 3fa85f64-5717-4562-b3fc-2c963f66afa6 has no credits", "3fa85f64"],
    ["eyJhbGciOiJI.eyJzdWIiOiIx.c2ln is expired", "eyJhbGci"],
    ["AKIAIOSFODNN7EXAMPLE is not authorized", "AKIA"],
  ])("masks %s", (text, secret) => {
    expect(maskSecrets(text)).not.toContain(secret);
    expect(maskSecrets(text)).toContain("[masked]");
  });

  test.each([
    "max_tokens: 200000 > 64000, which is the maximum allowed for claude-sonnet-4-5",
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    "The model `gpt-5.1` does not exist or you do not have access to it.",
    "Number of request tokens has exceeded your daily rate limit",
    "models/gemini-2.0-flash-001 is not found for API version v1beta",
    "user message must not be empty; user_location is unknown; account_type is free",
  ])("leaves %s as it is", (text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});

describe("callerMessage", () => {
  test("never relays HTML, and falls back on an empty text", () => {
    expect(callerMessage("<!DOCTYPE html><html>502</html>", "gone")).toBe("gone");
    expect(callerMessage(" \n", "gone")).toBe("gone");
    expect(callerMessage(undefined, "gone")).toBe("gone");
  });

  test("is one line of at most 500 characters", () => {
    expect(callerMessage("a\n\n b", "")).toBe("a b");
    expect(callerMessage("x".repeat(900), "")).toHaveLength(500);
  });
});
