import { existsSync } from "node:fs";
import { join } from "node:path";

import type { CliIo } from "#cli/cli-io.ts";
import type { JsonValue } from "#lib/json.ts";

import { codexConfig } from "./codex-config.ts";
import { setJsonc } from "./jsonc-edit.ts";
import { withEnvBlock } from "./marked-block.ts";
import { setYaml, setYamlItem } from "./yaml-edit.ts";

/** What a tool is pointed at. */
export interface Gate {
  /** Without a path: `http://127.0.0.1:8402`. */
  readonly url: string;
  readonly key: string;
}

type Variables = Readonly<Record<string, string>>;

/** A settings file of a tool and how it is changed. An empty text stands for a file that is not there. */
export interface ToolFile {
  readonly path: string;
  readonly edit: (text: string) => string;
}

/** A tool that speaks to models, and how it learns of the gateway. Sources: the tools' own documentation. */
export interface Tool {
  readonly label: string;
  /** The person's own settings, never a project's: those are committed. */
  readonly files: (io: Pick<CliIo, "env" | "userHome">, gate: Gate) => readonly ToolFile[];
  /** Variables that point it at the gateway without a file. */
  readonly variables: (gate: Gate) => Variables;
  /** Variables that have to be exported beside the file, since the file only names them. */
  readonly stillNeeded?: (gate: Gate) => Variables;
  /** What a person should know or do. */
  readonly notes: (gate: Gate) => readonly string[];
}

const NO_FILES = (): readonly ToolFile[] => [];

const setAll = (
  text: string,
  values: readonly (readonly [readonly string[], JsonValue])[],
): string => values.reduce((edited, [path, value]) => setJsonc(edited, path, value), text);

const configFolder = ({ env, userHome }: Pick<CliIo, "env" | "userHome">): string =>
  env["XDG_CONFIG_HOME"] || join(userHome, ".config");

/** The window that Claude Code and Zed plan with; without it they assume one million tokens. */
const CONTEXT_TOKENS = 200_000;

const claudeVariables = ({ url, key }: Gate): Variables => ({
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_AUTH_TOKEN: key,
  ANTHROPIC_MODEL: "claude-auto",
  ANTHROPIC_DEFAULT_HAIKU_MODEL: "auto:cheap",
  CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(CONTEXT_TOKENS),
  CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
  CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1",
});

const geminiVariables = ({ url, key }: Gate): Variables => ({
  GOOGLE_GEMINI_BASE_URL: url,
  GEMINI_API_KEY: key,
});

const qwenVariables = ({ url, key }: Gate): Variables => ({
  OPENAI_BASE_URL: `${url}/v1`,
  OPENAI_API_KEY: key,
  OPENAI_MODEL: "auto",
});

const aiderVariables = ({ url, key }: Gate): Variables => ({
  OPENAI_API_BASE: `${url}/v1`,
  OPENAI_API_KEY: key,
  AIDER_MODEL: "openai/auto",
});

const ownKey = ({ key }: Gate): Variables => ({ TURNPIKE_KEY: key });

/** Every tool that `connect` and `env` know, by name. */
export const TOOLS: Readonly<Record<string, Tool>> = {
  aider: {
    label: "Aider",
    files: ({ userHome }, gate) => [
      {
        path: join(userHome, ".aider.conf.yml"),
        edit: (text) =>
          setYaml(text, {
            model: "openai/auto",
            "openai-api-base": `${gate.url}/v1`,
            "openai-api-key": gate.key,
          }),
      },
    ],
    variables: aiderVariables,
    notes: () => ["Another model: aider --model openai/<model>"],
  },
  "claude-code": {
    label: "Claude Code",
    files: ({ env, userHome }, gate) => [
      {
        path: join(env["CLAUDE_CONFIG_DIR"] || join(userHome, ".claude"), "settings.json"),
        edit: (text) =>
          setAll(
            text,
            Object.entries(claudeVariables(gate)).map(([name, value]) => [["env", name], value]),
          ),
      },
    ],
    variables: claudeVariables,
    notes: () => [
      "If ANTHROPIC_API_KEY is set, unset it: Claude Code would ask which of the two to use.",
      "Check with /status inside Claude Code.",
    ],
  },
  cline: {
    label: "Cline",
    files: NO_FILES,
    variables: ownKey,
    notes: ({ url, key }) => [
      `Command line: cline auth openai -k ${key} -m auto -b ${url}/v1`,
      `VS Code: choose the provider "OpenAI Compatible", base URL ${url}/v1, model auto, and the key.`,
    ],
  },
  codex: {
    label: "Codex",
    files: ({ env, userHome }, gate) => [
      {
        path: join(env["CODEX_HOME"] || join(userHome, ".codex"), "config.toml"),
        edit: (text) => codexConfig(text, gate.url),
      },
    ],
    variables: ownKey,
    stillNeeded: ownKey,
    notes: () => [],
  },
  continue: {
    label: "Continue",
    files: ({ userHome }, gate) => [
      {
        path: join(userHome, ".continue", "config.yaml"),
        edit: (text) =>
          setYamlItem(
            text,
            { key: "models", start: "name: Local config\nversion: 1.0.0\nschema: v1\n" },
            {
              name: "Turnpike",
              provider: "openai",
              model: "auto",
              apiBase: `${gate.url}/v1`,
              apiKey: gate.key,
              roles: ["chat", "edit", "apply"],
            },
          ),
      },
    ],
    variables: ownKey,
    notes: () => ["Continue reads its settings from its file alone, not from variables."],
  },
  "gemini-cli": {
    label: "Gemini CLI",
    files: ({ userHome }, gate) => [
      {
        path: join(userHome, ".gemini", ".env"),
        edit: (text) => withEnvBlock(text, geminiVariables(gate)),
      },
      {
        path: join(userHome, ".gemini", "settings.json"),
        edit: (text) => setJsonc(text, ["security", "auth", "selectedType"], "gemini-api-key"),
      },
    ],
    variables: geminiVariables,
    notes: () => [
      "Another model: gemini -m <model>",
      "A .env file of a project comes before this one.",
    ],
  },
  opencode: {
    label: "opencode",
    files: (io, { url }) => [
      {
        path: opencodeFile(join(configFolder(io), "opencode")),
        edit: (text) =>
          setAll(text === "" ? '{\n  "$schema": "https://opencode.ai/config.json"\n}\n' : text, [
            [
              ["provider", "turnpike"],
              {
                npm: "@ai-sdk/openai-compatible",
                name: "Turnpike",
                options: { baseURL: `${url}/v1`, apiKey: "{env:TURNPIKE_KEY}" },
                models: { auto: { name: "auto" } },
              },
            ],
            [["model"], "turnpike/auto"],
          ]),
      },
    ],
    variables: ownKey,
    stillNeeded: ownKey,
    notes: () => [],
  },
  "qwen-code": {
    label: "Qwen Code",
    files: ({ userHome }, gate) => [
      {
        path: join(userHome, ".qwen", ".env"),
        edit: (text) => withEnvBlock(text, qwenVariables(gate)),
      },
      {
        path: join(userHome, ".qwen", "settings.json"),
        edit: (text) => setJsonc(text, ["security", "auth", "selectedType"], "openai"),
      },
    ],
    variables: qwenVariables,
    notes: () => ["A .env file of a project comes before this one."],
  },
  zed: {
    label: "Zed",
    files: (io, { url }) => [
      {
        path: join(configFolder(io), "zed", "settings.json"),
        edit: (text) =>
          setJsonc(text, ["language_models", "openai_compatible", "Turnpike"], {
            api_url: `${url}/v1`,
            available_models: [ZED_MODEL],
          }),
      },
    ],
    variables: ({ key }) => ({ TURNPIKE_API_KEY: key }),
    stillNeeded: ({ key }) => ({ TURNPIKE_API_KEY: key }),
    notes: () => ["Or enter the key in Zed: Agent settings, LLM providers, Turnpike."],
  },
};

const ZED_MODEL = {
  name: "auto",
  display_name: "Turnpike auto",
  max_tokens: CONTEXT_TOKENS,
  capabilities: { tools: true, images: true, parallel_tool_calls: true, prompt_cache_key: true },
};

function opencodeFile(folder: string): string {
  const commented = join(folder, "opencode.jsonc");
  return existsSync(commented) ? commented : join(folder, "opencode.json");
}
