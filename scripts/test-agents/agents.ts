import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { setJsonc } from "../../gateway/src/cli/connect/jsonc-edit.ts";
import { TOOLS, type Gate } from "../../gateway/src/cli/connect/tools.ts";
import { asObject, parseObject } from "../../gateway/src/lib/json.ts";

/** A coding agent and how it is run without a person. */
export interface Agent {
  /** Variables that keep it from doing anything but the task. */
  readonly quiet: Readonly<Record<string, string>>;
  readonly command: (model: string, prompt: string) => readonly [string, ...string[]];
  /** The agent's own last words in its output: not those of the tools that it ran. */
  readonly answerOf: (stdout: string) => string;
  /** What the model has to be told of beside `turnpike connect`'s settings. */
  readonly addModel?: (userHome: string, model: string) => void;
  /** The opaque tokens that it hands back, in the protocol that it speaks. */
  readonly keeps: readonly ("reasoning" | "calls")[];
}

export const AGENTS: Readonly<Record<string, Agent>> = {
  "claude-code": {
    quiet: {
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      DISABLE_AUTOUPDATER: "1",
    },
    command: (model, prompt) => [
      "claude",
      "-p",
      prompt,
      "--model",
      model,
      "--output-format=json",
      "--allowedTools=Bash",
    ],
    answerOf: (stdout) => String(parseObject(stdout)?.["result"]),
    keeps: ["reasoning", "calls"],
  },
  codex: {
    quiet: {},
    command: (model, prompt) => [
      "codex",
      "exec",
      "--json",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      // Else it waits for its servers: for plugins at the start, for its own metrics at the end.
      "--disable=plugins",
      "--config=analytics.enabled=false",
      `--model=${model}`,
      prompt,
    ],
    answerOf: (stdout) => {
      const items = stdout.split("\n").map((line) => asObject(parseObject(line)?.["item"]));
      return String(items.findLast(({ type }) => type === "agent_message")?.["text"]);
    },
    keeps: ["reasoning", "calls"],
  },
  opencode: {
    quiet: {
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    },
    command: (model, prompt) => ["opencode", "run", "-m", `turnpike/${model}`, prompt],
    // Tools are told on the other output.
    answerOf: (stdout) => stdout,
    addModel: (userHome, model) => {
      const path = join(userHome, ".config", "opencode", "opencode.json");
      const keys = ["provider", "turnpike", "models", model];
      writeFileSync(path, setJsonc(readFileSync(path, "utf8"), keys, { name: model }));
    },
    // Its SDK for Chat Completions does not know `reasoning_details`, and hands the signature of a
    // call back only where the provider is named google in its settings.
    keeps: [],
  },
};

/** Writes the settings that `turnpike connect` writes; gives the variables that go with them. */
export function connectAgent(
  name: string,
  agent: Agent,
  { gate, userHome, model }: { gate: Gate; userHome: string; model: string },
): Record<string, string> {
  const tool = TOOLS[name];
  if (tool === undefined) throw new Error(`turnpike connect does not know ${name}`);
  for (const { path, edit } of tool.files({ env: {}, userHome }, gate)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, edit(""));
  }
  agent.addModel?.(userHome, model);
  return { ...tool.stillNeeded?.(gate), ...agent.quiet };
}
