import type { App } from "#app.ts";

interface Started extends Pick<App, "url" | "startup"> {
  /** How the command line is called here. */
  readonly command: string;
}

/** What a person reads when the gateway is up: what it found, where it is, and a request that works. */
export function startupText({ url, startup, command }: Started): string {
  const { home, providers, local, bootstrap, setupToken, models, configFile } = startup;
  const reachable = url.replace(/\/\/(?:0\.0\.0\.0|\[::\])/, "//127.0.0.1");
  const found = [
    ...providers.map(({ id, variable }) => `${id} (${variable})`),
    ...local.map(({ id, origin, models: count }) => `${id} at ${origin}, ${count} models`),
  ];
  const rows = [
    ["Data", home],
    ["Settings", configFile ?? `none (${command} init writes a turnpike.yaml)`],
    ["Providers", [...found, "demo (built in)"].join(" · ")],
    ["Gateway", `${reachable}/v1   ${models} models, ready in ${Math.round(startup.readyMs)} ms`],
    ["Key", keyText(bootstrap, command)],
    ...(setupToken === undefined
      ? []
      : [["People", `none yet; the first signs up at ${reachable}/setup?token=${setupToken}`]]),
  ];
  const lines = rows.map(([label = "", text = ""]) => `  ${label.padEnd(10)} ${text}`);
  const nothing =
    found.length === 0
      ? ["", "  No provider key was found (such as OPENAI_API_KEY): the built-in demo answers."]
      : [];
  return [
    "Turnpike",
    ...lines,
    ...nothing,
    "",
    "  Try it:",
    "",
    ...curlLines(reachable, bootstrap),
    "",
    `  Agents: ${command} connect claude-code   (or codex, opencode, …; --dry-run shows, --undo restores)`,
  ].join("\n");
}

function keyText({ source, created }: Started["startup"]["bootstrap"], command: string): string {
  if (created !== undefined) return `${created}   (made just now, shown only this once)`;
  if (source === "environment") return "the one in TURNPIKE_KEY";
  return `made before; ${command} keys create makes another`;
}

function curlLines(
  url: string,
  { source, created }: Started["startup"]["bootstrap"],
): readonly string[] {
  const key = created ?? (source === "environment" ? "$TURNPIKE_KEY" : "<your key>");
  const body = JSON.stringify({ model: "auto", messages: [{ role: "user", content: "Hello" }] });
  return [
    `  curl ${url}/v1/chat/completions \\`,
    `    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
    `    -d '${body}'`,
  ];
}
