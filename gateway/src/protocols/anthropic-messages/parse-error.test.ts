import { describe, expect, test } from "vitest";

import { parseError } from "./parse-error.ts";
import { renderError } from "./render-error.ts";

const anthropic = (type: string, message: string) =>
  JSON.stringify({ type: "error", error: { type, message } });

describe("parseError", () => {
  test.each([
    [
      400,
      anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
      "context_length_exceeded",
    ],
    [
      400,
      anthropic(
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API.",
      ),
      "upstream_quota",
    ],
    [
      400,
      anthropic("invalid_request_error", "temperature: range: 0..1"),
      "upstream_invalid_request",
    ],
    [
      400,
      anthropic("invalid_request_error", "This model does not support the effort parameter."),
      "unsupported_parameter",
    ],
    [
      400,
      anthropic("invalid_request_error", "Output blocked by content filtering policy"),
      "content_policy",
    ],
    [
      400,
      anthropic("invalid_request_error", "This organization has been disabled."),
      "upstream_auth",
    ],
    [401, anthropic("authentication_error", "invalid x-api-key"), "upstream_auth"],
    [402, anthropic("billing_error", "pay"), "upstream_quota"],
    [403, anthropic("permission_error", "no"), "upstream_auth"],
    [404, anthropic("not_found_error", "model: nope"), "upstream_model_missing"],
    [
      413,
      anthropic("request_too_large", "Request exceeds the maximum size"),
      "context_length_exceeded",
    ],
    [
      429,
      anthropic(
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 40,000 input tokens per minute",
      ),
      "upstream_rate_limited",
    ],
    [500, anthropic("api_error", "Internal server error"), "upstream_error"],
    [529, anthropic("overloaded_error", "Overloaded"), "upstream_overloaded"],
    [
      429,
      JSON.stringify([
        {
          error: {
            code: 429,
            status: "RESOURCE_EXHAUSTED",
            message: "Quota exceeded for online_prediction_requests",
          },
        },
      ]),
      "upstream_rate_limited",
    ],
    [502, "<html><body>Bad gateway</body></html>", "upstream_error"],
    [400, "", "upstream_invalid_request"],
  ])("%i %s", (status, text, code) => {
    expect(parseError({ status, headers: {}, text })).toMatchObject({
      code,
      upstreamStatus: status,
    });
  });

  test("keeps the time to wait, and neither HTML nor credentials", () => {
    const headers = { "retry-after": "7" };
    expect(parseError({ status: 429, headers, text: "{}" }).retryAfterMs).toBe(7000);
    const { message } = parseError({ status: 502, headers: {}, text: "<html>secret</html>" });
    expect(message).toBe("The provider answered 502 without a message.");
    const text = anthropic("authentication_error", "bad key sk-ant-api03-abcdefgh");
    expect(parseError({ status: 401, headers: {}, text }).message).toBe("bad key [masked]");
  });
});

describe("renderError", () => {
  test("has the protocol's shape, and the words by which Claude Code knows a full context", () => {
    expect(renderError({ code: "context_length_exceeded", message: "300k > 200k" }, "r1")).toEqual({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: "prompt is too long: 300k > 200k",
        code: "context_length_exceeded",
      },
      request_id: "r1",
    });
  });
});
