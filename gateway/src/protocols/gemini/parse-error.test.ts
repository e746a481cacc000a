import { describe, expect, test } from "vitest";

import { parseError } from "./parse-error.ts";

const google = (code: number, status: string, ...[message, details = []]: [string, object[]?]) =>
  JSON.stringify({ error: { code, status, message, details } });

describe("parseError", () => {
  test.each([
    [
      400,
      google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
        { reason: "API_KEY_INVALID" },
      ]),
      "upstream_auth",
    ],
    [
      400,
      google(
        400,
        "INVALID_ARGUMENT",
        "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).",
      ),
      "context_length_exceeded",
    ],
    [
      400,
      google(400, "INVALID_ARGUMENT", "Thinking is not supported for this model"),
      "unsupported_parameter",
    ],
    [
      400,
      google(
        400,
        "FAILED_PRECONDITION",
        "Billing account is not enabled, please enable billing account",
      ),
      "upstream_quota",
    ],
    [
      400,
      google(400, "INVALID_ARGUMENT", "Unable to submit request because it is empty"),
      "upstream_invalid_request",
    ],
    [403, google(403, "PERMISSION_DENIED", "denied"), "upstream_auth"],
    [404, google(404, "NOT_FOUND", "models/x is not found"), "upstream_model_missing"],
    [404, "", "upstream_model_missing"],
    [
      429,
      google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 34s."),
      "upstream_rate_limited",
    ],
    [
      429,
      google(429, "RESOURCE_EXHAUSTED", "Your prepayment credits: insufficient balance"),
      "upstream_quota",
    ],
    [500, google(500, "INTERNAL", "An internal error has occurred."), "upstream_error"],
    [503, google(503, "UNAVAILABLE", "The model is overloaded."), "upstream_overloaded"],
    [504, google(504, "DEADLINE_EXCEEDED", "Deadline expired"), "upstream_timeout"],
  ])("%i %s", (status, text, code) => {
    expect(parseError({ status, headers: {}, text })).toMatchObject({
      code,
      upstreamStatus: status,
    });
  });

  test("reads arrays and events, and the time to wait", () => {
    const body = google(429, "RESOURCE_EXHAUSTED", "slow", [{ retryDelay: "34.2s" }]);
    for (const text of [body, `[${body}]`, `data: ${body}\r\n\r\n`]) {
      expect(parseError({ status: 429, headers: {}, text })).toMatchObject({
        code: "upstream_rate_limited",
        message: "slow",
        retryAfterMs: 34_200,
      });
    }
  });
});
