import { describe, expect, test } from "vitest";

import { startupText } from "./startup-text.ts";

const startup = {
  home: "/home/me/.turnpike",
  providers: [{ id: "openai", variable: "OPENAI_API_KEY" }],
  local: [{ id: "ollama", origin: "http://127.0.0.1:11434", models: 3 }],
  bootstrap: { source: "created", created: "sk-tp-abc" },
  models: 400,
  endpoints: 900,
  readyMs: 312.4,
} as const;
const url = "http://127.0.0.1:8402";
const command = "turnpike";

describe("startupText", () => {
  test("a new key is in the request that can be copied", () => {
    const text = startupText({ url, startup, command });
    expect(text).toContain('-H "Authorization: Bearer sk-tp-abc"');
    expect(text).toContain("openai (OPENAI_API_KEY) · ollama at http://127.0.0.1:11434, 3 models");
    expect(text).toContain("ready in 312 ms");
    expect(text).not.toContain("built-in demo answers");
  });

  test("a key of the environment is named, not shown", () => {
    const text = startupText({
      url,
      startup: { ...startup, bootstrap: { source: "environment" } },
      command,
    });
    expect(text).toContain('"Authorization: Bearer $TURNPIKE_KEY"');
  });

  test("an earlier key cannot be shown: how to get another one", () => {
    const text = startupText({
      url,
      startup: { ...startup, bootstrap: { source: "stored" } },
      command,
    });
    expect(text).toContain("turnpike keys create makes another");
  });

  test("without providers the demo is said to answer", () => {
    const text = startupText({ url, startup: { ...startup, providers: [], local: [] }, command });
    expect(text).toContain("the built-in demo answers");
  });

  test("all interfaces are no address to call", () => {
    expect(startupText({ url: "http://0.0.0.0:8402", startup, command })).toContain(
      "curl http://127.0.0.1:8402/v1/chat/completions",
    );
  });
});
