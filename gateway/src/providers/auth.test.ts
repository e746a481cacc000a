import { describe, expect, test } from "vitest";

import { bearer, bindToOrigins, findSecret, firstOf, header, optionalBearer } from "./auth.ts";
import { awsSigV4 } from "./aws-sigv4.ts";
import type { Authorize, OutgoingRequest } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

const request = (url = "https://api.example.com/v1/chat"): OutgoingRequest => ({
  method: "POST",
  url: new URL(url),
});

describe("findSecret", () => {
  test.each(["", "  ", "\n", undefined])("passes over the value %j", (value) => {
    const env = { OPENAI_API_KEY: value, OTHER_KEY: "k2" };
    expect(findSecret(env, ["OPENAI_API_KEY"])).toBeUndefined();
    expect(findSecret(env, ["OPENAI_API_KEY", "OTHER_KEY"])).toEqual({
      variable: "OTHER_KEY",
      secret: "k2",
    });
  });

  test("trims what files and shells leave around a key", () => {
    expect(findSecret({ KEY: " k1\r\n" }, ["KEY"])?.secret).toBe("k1");
  });

  test("passes over the gateway's own keys", () => {
    expect(findSecret({ ANTHROPIC_AUTH_TOKEN: "sk-tp-abc" }, ["ANTHROPIC_AUTH_TOKEN"])).toBe(
      undefined,
    );
  });
});

describe("bearer", () => {
  test("takes the first variable that is set and names it", async () => {
    const found = bearer("A_KEY", "B_KEY").discover({ A_KEY: "", B_KEY: "secret" });
    expect(found?.variable).toBe("B_KEY");
    expect(await found?.authorize(request())).toEqual({ authorization: "Bearer secret" });
  });

  test("finds nothing in an empty environment", () => {
    expect(bearer("A_KEY").discover({})).toBeUndefined();
  });

  test.each(["a\nb", "a\r\nx-evil: 1", "ключ", "a\u0000b"])(
    "refuses the key %j without repeating it",
    (secret) => {
      const discover = (): unknown => bearer("A_KEY").discover({ A_KEY: secret });
      expect(discover).toThrow(/A_KEY/);
      try {
        discover();
      } catch (error) {
        expect(String(error)).not.toContain(secret);
      }
    },
  );

  test("takes a configured secret", async () => {
    expect(await bearer("A_KEY").withSecret?.("s")(request())).toEqual({
      authorization: "Bearer s",
    });
  });
});

describe("optionalBearer", () => {
  test("sends nothing without a key", async () => {
    const found = optionalBearer("VLLM_API_KEY").discover({});
    expect(found?.variable).toBe("");
    expect(await found?.authorize(request())).toEqual({});
  });

  test("sends a key that is set", async () => {
    const found = optionalBearer("VLLM_API_KEY").discover({ VLLM_API_KEY: "k" });
    expect(found?.variable).toBe("VLLM_API_KEY");
    expect(await found?.authorize(request())).toEqual({ authorization: "Bearer k" });
  });
});

describe("firstOf", () => {
  const auth = firstOf(header("x-api-key", "KEY"), bearer("TOKEN"));

  test("prefers the first", async () => {
    const found = auth.discover({ KEY: "k", TOKEN: "t" });
    expect(await found?.authorize(request())).toEqual({ "x-api-key": "k" });
  });

  test("falls to the next", async () => {
    const found = auth.discover({ TOKEN: "t" });
    expect(await found?.authorize(request())).toEqual({ authorization: "Bearer t" });
  });

  test("names all variables and takes a configured secret as the first does", async () => {
    expect(auth.env).toEqual(["KEY", "TOKEN"]);
    expect(await auth.withSecret?.("s")(request())).toEqual({ "x-api-key": "s" });
  });
});

test("firstOf: a secret that is no plain key goes to the kind that it is of", async () => {
  const auth = firstOf(bearer("TOKEN"), awsSigV4("bedrock"));
  expect(await auth.withSecret?.("s")(request())).toEqual({ authorization: "Bearer s" });
  const pair = {
    AccessKeyId: "AKIA1",
    SecretAccessKey: "x",
    SessionToken: "t",
    Region: "eu-west-1",
  };
  expect(await auth.withSecret?.(JSON.stringify(pair))(request())).toMatchObject({
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKIA1\/\d{8}\/eu-west-1\/bedrock\/aws4_request, /,
    ),
    "x-amz-security-token": "t",
  });
  expect(() => auth.withSecret?.('{"AccessKeyId":"AKIA1"}')).toThrow(/SecretAccessKey/);
});

describe("bindToOrigins", () => {
  const authorize: Authorize = () => ({ authorization: "Bearer k" });
  const bound = bindToOrigins(authorize, new Set(["https://api.example.com"]));

  test("gives the key to its own origin", async () => {
    expect(await bound(request())).toEqual({ authorization: "Bearer k" });
  });

  test.each([
    "https://api.example.com.evil.example/v1",
    "http://api.example.com/v1",
    "https://api.example.com:8443/v1",
    "https://evil.example/https://api.example.com",
  ])("refuses it to %s", (url) => {
    expect(() => bound(request(url))).toThrow(/does not belong/);
  });
});

/** What each provider with a plain secret sends; the others have suites of their own. */
const HEADER_OF: Record<string, string> = {
  anthropic: "x-api-key",
  azure: "api-key",
  google: "x-goog-api-key",
};

const PLAIN = Object.entries(PROVIDERS).filter(([id]) => id !== "vertex");

describe.each(PLAIN)("the secret of %s", (id, { auth }) => {
  test("goes into the header that the provider reads", async () => {
    const [variable = ""] = auth.env;
    const found = auth.discover({ [variable]: "s3cret" });
    expect(found?.variable).toBe(variable);
    const name = HEADER_OF[id];
    expect(await found?.authorize(request())).toEqual(
      name === undefined ? { authorization: "Bearer s3cret" } : { [name]: "s3cret" },
    );
  });

  test("is not found in blank variables", () => {
    const blank = Object.fromEntries(auth.env.map((name) => [name, " "]));
    expect(auth.discover(blank)?.variable ?? "").toBe("");
  });
});
