import { expect, test } from "vitest";

import { codexConfig } from "./codex-config.ts";

const URL = "http://127.0.0.1:8402";

test("an empty file gets the provider, the model and the discovery", () => {
  expect(codexConfig("", URL)).toMatchInlineSnapshot(`
    "# >>> turnpike (made by \`turnpike connect\`, removed by --undo)
    model = "auto"
    model_provider = "turnpike"
    # <<< turnpike
    # >>> turnpike (made by \`turnpike connect\`, removed by --undo)
    [model_providers.turnpike]
    name = "Turnpike"
    base_url = "http://127.0.0.1:8402/v1"
    env_key = "TURNPIKE_KEY"
    wire_api = "responses"
    model_catalog_url = "http://127.0.0.1:8402/v1/models"

    [features]
    api_key_model_discovery = true
    # <<< turnpike
    "
  `);
});

const OWN = `model = "gpt-5"
approval_policy = "never"

[features]
web = true
api_key_model_discovery = false

[profiles.x]
model = "o3"
`;

test("what contradicts becomes a comment, other tables stay as they are", () => {
  const text = codexConfig(OWN, URL);
  expect(text).toContain('# turnpike set aside: model = "gpt-5"\napproval_policy');
  expect(text).toContain("# turnpike set aside: api_key_model_discovery = false");
  expect(text).toContain('[profiles.x]\nmodel = "o3"\n');
  expect(text.match(/^\[features\]$/gm)).toHaveLength(1);
  expect(text.match(/^api_key_model_discovery = true$/gm)).toHaveLength(1);
});

test("connecting twice is connecting once", () => {
  const once = codexConfig(OWN, "http://other:1");
  expect(codexConfig(once, URL)).toBe(codexConfig(OWN, URL));
});

test("a provider of the same name that is not ours is not touched", () => {
  expect(() => codexConfig("[model_providers.turnpike]\nname = 'x'\n", URL)).toThrow(/already/);
});
