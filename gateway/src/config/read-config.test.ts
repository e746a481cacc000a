import { describe, expect, test } from "vitest";

import { ConfigError } from "./config-error.ts";
import { parseConfig } from "./read-config.ts";

const messageOf = (text: string, env: Record<string, string> = {}): string => {
  try {
    parseConfig(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "valid";
};

describe("parseConfig", () => {
  test("an empty file is valid", () => {
    expect(parseConfig("# nothing\n", {})).toEqual({
      providers: [],
      aliases: {},
      alerts: {},
      guardrails: {},
      auth: {},
      server: {},
      timeouts: {},
      limits: {},
      routing: {},
    });
  });

  test("providers may be a map or a list", () => {
    const map = parseConfig(
      "providers:\n  groq:\n  mine:\n    baseUrl: http://localhost:9/v1\n",
      {},
    );
    const list = parseConfig(
      "providers:\n  - id: groq\n  - {id: mine, baseUrl: 'http://localhost:9/v1'}\n",
      {},
    );
    expect(map).toEqual(list);
    expect(map.providers).toEqual([
      { id: "groq" },
      { id: "mine", baseUrl: "http://localhost:9/v1" },
    ]);
  });

  test("variables are expanded, numbers among them, and may have a default", () => {
    const text = [
      "server: {port: '${PORT}', host: '${HOST:-::1}'}",
      "providers: {openai: {apiKey: '${KEY}', name: '$${literal}'}}",
    ].join("\n");
    const config = parseConfig(text, { PORT: "9000", KEY: "12345" });
    expect(config.server).toEqual({ port: 9000, host: "::1" });
    expect(config.providers).toEqual([{ id: "openai", apiKey: "12345", name: "${literal}" }]);
  });

  test("a model has prices in USD for a million tokens", () => {
    const text = `providers:
  mine:
    baseUrl: http://localhost:9/v1
    models:
      - id: big
        contextTokens: 32000
        prices: {input: 0.15, output: 0.6}
`;
    expect(parseConfig(text, {}).providers[0]?.models).toEqual([
      { id: "big", contextTokens: 32000, prices: { input: 0.15, output: 0.6 } },
    ]);
  });

  test.each([
    ["broken YAML", "server: {port: 1\n", /^turnpike\.yaml:\d+: .+/],
    ["a key twice", "server:\n  port: 1\n  port: 2\n", /^turnpike\.yaml:3: .*unique/i],
    [
      "an unknown key, with the near one",
      "providers:\n  openai:\n    apikey: x\n",
      /^turnpike\.yaml:3: providers\.openai\.apikey: there is no such setting\. Did you mean apiKey\?$/,
    ],
    [
      "an unknown section, with all known",
      "zzz: 1\n",
      /^turnpike\.yaml:1: zzz: .* Known here: providers, aliases, server, timeouts, smtp, alerts, guardrails, valkey, limits, auth, payments, routing\.$/,
    ],
    [
      "an unknown key in a list",
      "providers:\n  - id: openai\n    baseurl: http://x\n",
      /^turnpike\.yaml:3: providers\[0\]\.baseurl: .*Did you mean baseUrl\?$/,
    ],
    [
      "an unset variable",
      "providers:\n  openai:\n    apiKey: ${NOT_THERE}\n",
      /^turnpike\.yaml:3: providers\.openai\.apiKey: the environment variable NOT_THERE is not set\./,
    ],
    [
      "a port too high",
      "server:\n  port: 70000\n",
      /^turnpike\.yaml:2: server\.port: must be at most 65535/,
    ],
    ["a wrong type", "server: 7\n", /^turnpike\.yaml:1: server: must be a map of names/],
    [
      "a list item without id",
      "providers:\n  - apiKey: x\n",
      /^turnpike\.yaml:2: providers\[0\]\.id: is missing: a text/,
    ],
    [
      "prices without output",
      "providers:\n  a:\n    models:\n      - id: m\n        prices: {input: 1}\n",
      /^turnpike\.yaml:5: providers\.a\.models\[0\]\.prices\.output: /,
    ],
    [
      "the same provider twice",
      "providers: [{id: groq}, {id: groq}]\n",
      /^turnpike\.yaml:1: providers\[1\]: groq is there twice/,
    ],
    [
      "a provider that nobody knows",
      "providers:\n  openia:\n    apiKey: x\n",
      /^turnpike\.yaml:2: providers\.openia: there is no provider "openia"\. Did you mean openai\b/,
    ],
    [
      "the same in a list",
      "providers:\n  - id: groq\n  - id: mine\n",
      /^turnpike\.yaml:3: providers\[1\]: there is no provider "mine"\..* needs its baseUrl\.$/,
    ],
    [
      "a time with a unit",
      "timeouts: {headMs: 10s}\n",
      /timeouts\.headMs: must be a whole number of milliseconds, such as 10000$/,
    ],
    [
      "a base URL in the clear",
      "providers:\n  openai:\n    apiKey: x\n    baseUrl: http://example.com/v1\n",
      /^turnpike\.yaml:4: providers\.openai\.baseUrl: must begin with https:\/\/: a key would travel in the clear\.$/,
    ],
    [
      "a base URL that is none, in a list",
      "providers:\n  - id: mine\n    baseUrl: nonsense\n",
      /^turnpike\.yaml:3: providers\[0\]\.baseUrl: is not a URL\.$/,
    ],
    [
      "an id that is none",
      "providers:\n  My Server:\n    baseUrl: http://localhost:9/v1\n",
      /^turnpike\.yaml:2: providers\.My Server: a provider id is lower-case letters/,
    ],
    [
      "a protocol for a provider that has its own",
      "providers:\n  openai:\n    compatible: openai-chat\n",
      /^turnpike\.yaml:3: providers\.openai\.compatible: openai is a known provider/,
    ],
    ["a file that is a list", "- 1\n", /^turnpike\.yaml:1: must be a map of names.*not a list/],
  ])("refuses %s", (_name, text, expected) => {
    expect(messageOf(text)).toMatch(expected);
  });

  test("names every fault, each on a line of its own", () => {
    const text = "server:\n  port: x\naliases:\n  a: 1\ntimeouts:\n  idle: 1\n";
    expect(messageOf(text).split("\n")).toHaveLength(3);
  });

  test("an alias bomb is refused", () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef", "fg"]) {
      bomb.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(",")}]`);
    }
    expect(messageOf(bomb.join("\n"))).toMatch(/alias/i);
  });

  test("__proto__ is no way in", () => {
    expect(messageOf("__proto__: {x: 1}\n")).toMatch(/__proto__/);
  });
});
