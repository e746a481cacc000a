import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PACKAGES = {
  "@anthropic-ai/claude-code": "2.1.329",
  "@openai/codex": "0.169.0",
  "opencode-ai": "1.18.33",
} as const;

/** Two of them put their platform's binary in place with an install script, which npm may block. */
const ALLOWED_SCRIPTS = { "@anthropic-ai/claude-code": true, "opencode-ai": true };

/** Written when an installation is complete: a broken off one is not reused. */
const COMPLETE = "complete";

/**
 * Installs the agents outside the workspace, at exact versions, and gives the folder of their
 * commands. A complete installation is reused.
 */
export function installAgents(): string {
  const versions = Object.values(PACKAGES).join("-");
  const folder = join(tmpdir(), `turnpike-agents-${versions}`);
  const commands = join(folder, "node_modules", ".bin");
  if (existsSync(join(folder, COMPLETE))) return commands;
  console.log(`Installing the agents into ${folder} (about 1 GB) …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const project = { private: true, allowScripts: ALLOWED_SCRIPTS };
  writeFileSync(join(folder, "package.json"), JSON.stringify(project));
  const names = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--save-exact", ...names], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(join(folder, COMPLETE), "");
  return commands;
}
