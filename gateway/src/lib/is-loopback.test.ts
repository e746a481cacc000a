import { describe, expect, test } from "vitest";

import { isLoopback } from "./is-loopback.ts";

describe("isLoopback", () => {
  test.each([
    ["127.0.0.1", true],
    ["localhost", true],
    ["::1", true],
    ["0.0.0.0", false],
    ["192.168.1.2", false],
    ["127.0.0.1.example.com", false],
  ])("%s: %s", (host, expected) => expect(isLoopback(host)).toBe(expected));
});
