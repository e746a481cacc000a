import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { checkOwnUrl } from "#byok/check-own-url.ts";

const refusal = (text: string): string => {
  try {
    return `taken: ${checkOwnUrl(text, "base_url")}`;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.failure.code} ${error.failure.field}`;
  }
};

describe("checkOwnUrl", () => {
  test("takes https to a host of the internet, without trailing slashes", () => {
    expect(refusal("https://llm.example.com/v1/")).toBe("taken: https://llm.example.com/v1");
    expect(refusal(" https://LLM.Example.com:8443 ")).toBe("taken: https://llm.example.com:8443");
  });

  /** Spellings of places that no tenant may reach: reference/reliability.md §2.2. */
  const CORPUS = [
    "http://llm.example.com/v1",
    "ftp://llm.example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//llm.example.com",
    "llm.example.com",
    "",
    "https://",
    "https://user@llm.example.com",
    "https://user:secret@llm.example.com",
    "https://llm.example.com@127.0.0.1/",
    "https://llm.example.com/v1?x=1",
    "https://llm.example.com/v1#x",
    "https://127.0.0.1/v1",
    "https://127.1/v1",
    "https://2130706433/v1",
    "https://0x7f000001/v1",
    "https://0x7f.1/v1",
    "https://0177.0.0.1/v1",
    "https://017700000001/v1",
    "https://0/v1",
    "https://0.0.0.0/v1",
    "https://①②⑦.⓪.⓪.①/v1",
    "https://127。0。0。1/v1",
    "https://127.0.0.1./v1",
    "https://10.0.0.5/v1",
    "https://100.64.0.1/v1",
    "https://169.254.169.254/latest/meta-data",
    "https://169.254.169.254.:443/",
    "https://172.16.0.1/v1",
    "https://192.168.1.1/v1",
    "https://8.8.8.8/v1",
    "https://[::1]/v1",
    "https://[::]/v1",
    "https://[::ffff:127.0.0.1]/v1",
    "https://[::ffff:7f00:1]/v1",
    "https://[64:ff9b::7f00:1]/v1",
    "https://[fd00::1]/v1",
    "https://[fe80::1]/v1",
    "https://[fe80::1%25eth0]/v1",
    "https://[2606:4700::1111]/v1",
    "https://localhost/v1",
    "https://LOCALHOST/v1",
    "https://localhost./v1",
    "https://api.localhost/v1",
    "https://ｌｏｃａｌｈｏｓｔ/v1",
    "https://metadata/v1",
    "https://metadata.google.internal/v1",
    "https://metadata.google.internal./v1",
    "https://redis.default.svc/v1",
    "https://printer.local/v1",
    "https://nas.lan/v1",
    "https://router.home.arpa/v1",
    "https://llm.example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://127.0.0.1%2f.example.com/",
    "https://127.0.0.1%00.example.com/",
    "https://exa mple.com/",
    "https://llm.example.com:99999/",
    `https://${"a".repeat(500)}.com/`,
  ];
  test.each(CORPUS)("refuses %s", (text) => {
    expect(refusal(text)).toBe("invalid_request base_url");
  });
});
