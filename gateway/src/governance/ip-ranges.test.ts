import { describe, expect, test } from "vitest";

import { readAddressRanges } from "#governance/ip-ranges.ts";

describe("readAddressRanges", () => {
  test.each([
    [["10.0.0.0/8"], "10.255.0.1", true],
    [["10.0.0.0/8"], "11.0.0.1", false],
    [["192.0.2.7"], "192.0.2.7", true],
    [["192.0.2.7"], "192.0.2.70", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["::ffff:10.0.0.0/104"], "10.1.2.3", true],
    [["::ffff:10.0.0.1"], "10.0.0.1", true],
    [["2001:db8::/32"], "2001:0DB8:ffff::1", true],
    [["2001:db8::/32"], "2001:db9::1", false],
    [["fe80::1"], "fe80::1%eth0", true],
    [["0.0.0.0/0"], "2001:db8::1", false],
    [["::/0"], "203.0.113.9", true],
    [[], "10.0.0.1", false],
    [["10.0.0.0/8"], undefined, false],
    [["10.0.0.0/8"], "no address", false],
  ])("%j takes in %s: %s", (entries, address, expected) => {
    expect(readAddressRanges(entries).includes(address)).toBe(expected);
  });

  test.each([
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "host.example",
    "",
    "10.0.0.0/-1",
    "::1/129",
    "::ffff:1.2.3.4/95",
  ])("%s is no range", (entry) => {
    expect(() => readAddressRanges([entry])).toThrow(/neither an IP address/);
  });
});
