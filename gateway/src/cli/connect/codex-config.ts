import { CliError } from "#cli/cli-io.ts";

import { markedBlock, setAside, withoutBlocks } from "./marked-block.ts";

const HEADER = /^\s*\[\[?\s*[A-Za-z0-9_"'-][^\]]*\]\]?\s*(?:#.*)?$/;
const OWN_TOP_KEYS = /^\s*(?:model|model_provider)\s*=/;
const DISCOVERY = /^\s*api_key_model_discovery\s*=/;
const DISCOVERY_LINE = "api_key_model_discovery = true";

/**
 * Codex's `config.toml` with Turnpike as its provider. Marked lines are added, and lines that
 * contradict them become comments; the rest stays as it is. Tables end the top-level keys in TOML,
 * and no table may be opened twice: hence three places.
 */
export function codexConfig(text: string, url: string): string {
  const lines = withoutBlocks(text === "" ? [] : text.replace(/\n$/, "").split("\n"));
  if (lines.some((line) => /^\s*\[model_providers\.["']?turnpike["']?[.\]]/.test(line))) {
    throw new CliError("config.toml has a provider named turnpike already; remove or rename it.");
  }
  const firstHeader = lines.findIndex((line) => HEADER.test(line));
  const topEnd = firstHeader === -1 ? lines.length : firstHeader;
  const top = lines
    .slice(0, topEnd)
    .map((line) => (OWN_TOP_KEYS.test(line) ? setAside(line) : line));
  const block = markedBlock(['model = "auto"', 'model_provider = "turnpike"']);
  const tables = withDiscovery([...top, ...lines.slice(topEnd)]);
  return `${[...block, ...tables.lines, ...markedBlock([...providerTable(url), ...tables.missing])].join("\n")}\n`;
}

const providerTable = (url: string): readonly string[] => [
  "[model_providers.turnpike]",
  'name = "Turnpike"',
  `base_url = ${JSON.stringify(`${url}/v1`)}`,
  'env_key = "TURNPIKE_KEY"',
  'wire_api = "responses"',
  `model_catalog_url = ${JSON.stringify(`${url}/v1/models`)}`,
];

interface Tables {
  readonly lines: readonly string[];
  /** What has to be added at the end. */
  readonly missing: readonly string[];
}

/** Model discovery switched on in `[features]`, in the table that is there or in a new one. */
function withDiscovery(lines: readonly string[]): Tables {
  const start = lines.findIndex((line) => /^\s*\[\s*features\s*\]/.test(line));
  if (start === -1) {
    // Written as `features.x = …` the table is closed: Codex then works without the discovery.
    const dotted = lines.some((line) => /^\s*features\s*[.=]/.test(line));
    return { lines, missing: dotted ? [] : ["", "[features]", DISCOVERY_LINE] };
  }
  const next = lines.findIndex((line, at) => at > start && HEADER.test(line));
  const end = next === -1 ? lines.length : next;
  const own = lines
    .slice(start + 1, end)
    .map((line) => (DISCOVERY.test(line) ? setAside(line) : line));
  const block = markedBlock([DISCOVERY_LINE]);
  return {
    lines: [...lines.slice(0, start + 1), ...block, ...own, ...lines.slice(end)],
    missing: [],
  };
}
