import { describe, expect, test } from "vitest";

import { parseJsonError } from "./parse-json-error.ts";

describe("parseJsonError", () => {
  const parse = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    parseJsonError({
      status,
      headers,
      text: typeof body === "string" ? body : JSON.stringify(body),
    });

  test.each([
    [429, { error: { message: "You exceeded", code: "insufficient_quota" } }, "upstream_quota"],
    [400, { error: { message: "m", code: "context_length_exceeded" } }, "context_length_exceeded"],
    [402, { error: "Pre-paid credits are required" }, "upstream_quota"],
    [401, { detail: "Unauthorized" }, "upstream_auth"],
    [
      422,
      { detail: [{ loc: ["body", "n"], msg: "bad", type: "int" }] },
      "upstream_invalid_request",
    ],
    [400, { error: { message: "x", code: "1302" } }, "upstream_rate_limited"],
    [429, { error: { message: "x", code: "1113" } }, "upstream_quota"],
    [
      400,
      {
        error: {
          message: "Output data may contain inappropriate content.",
          code: "data_inspection_failed",
        },
      },
      "content_policy",
    ],
    [
      400,
      { error: { message: "Content Exists Risk", type: "invalid_request_error" } },
      "content_policy",
    ],
    [502, "<html><body>Bad gateway</body></html>", "upstream_error"],
    [503, "", "upstream_overloaded"],
    [400, [{ error: { message: "no", status: "INVALID_ARGUMENT" } }], "upstream_invalid_request"],
    [429, { error: { message: "busy", type: "engine_overloaded_error" } }, "upstream_overloaded"],
    [429, { error: { code: "1305", message: "x" } }, "upstream_overloaded"],
    [402, { error: { message: "Insufficient Balance" } }, "upstream_quota"],
    [
      429,
      {
        error: { code: "insufficient_quota", message: "see https://help.aliyun.com/x#token-limit" },
      },
      "upstream_rate_limited",
    ],
  ])("%i %j", (status, body, code) => {
    expect(parse(status, body).code).toBe(code);
  });

  test("keeps HTML, keys and other tenants' ids from the caller", () => {
    expect(parse(502, "<html>secret</html>").message).toBe("the provider answered with status 502");
    const raw = JSON.stringify({ error: "Content violates usage guidelines. Team: bb642ce4-5161" });
    const relayed = { error: { code: 403, message: "Provider returned error", metadata: { raw } } };
    const failure = parse(403, relayed);
    expect(failure.code).toBe("content_policy");
    expect(failure.message).not.toContain("bb642ce4");
  });

  test("has the field, the provider's code and the time to wait", () => {
    const error = { message: "no", param: "messages", code: "empty_array" };
    expect(parse(400, { error }, { "retry-after": "2" })).toEqual({
      code: "upstream_invalid_request",
      message: "no",
      field: "messages",
      upstreamStatus: 400,
      upstreamCode: "empty_array",
      retryAfterMs: 2000,
    });
  });
});
