import { describe, expect, test } from "vitest";

import { retryAfterMs } from "./retry-after.ts";

describe("retryAfterMs", () => {
  test.each([
    [{}, undefined],
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": ["3", "9"] }, 3000],
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after": "1", "retry-after-ms": "0" }, 1000],
    [{ "x-ms-retry-after-ms": "1500", "retry-after": "9" }, 1500],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-4" }, undefined],
    [{ "retry-after": "1e99" }, undefined],
    [{ "retry-after": "999999999" }, 86_400_000],
  ])("%j", (headers, expected) => {
    expect(retryAfterMs(headers)).toBe(expected);
  });

  test("measures a date against the provider's own clock", () => {
    const date = "Fri, 20 Nov 2026 10:00:00 GMT";
    const after = "Fri, 20 Nov 2026 10:00:07 GMT";
    expect(retryAfterMs({ date, "retry-after": after })).toBe(7000);
    expect(retryAfterMs({ date: after, "retry-after": date })).toBe(0);
    expect(retryAfterMs({ "retry-after": after })).toBeUndefined();
  });
});
