import type { CatalogEndpoint, CatalogModel, Capabilities, Prices } from "#catalog/types.ts";

interface DemoModel {
  readonly name: string;
  readonly label: string;
  readonly prices: Prices;
  readonly kind?: "embedding";
}

/** Made-up prices in pico-USD a token (100_000 = $0.10 for a million), so that costs show. */
const SMALL: Prices = { input: 100_000, output: 400_000 };

const ROWS: readonly DemoModel[] = [
  { name: "echo", label: "Demo: says what you said", prices: SMALL },
  { name: "slow", label: "Demo: a word every 100 ms", prices: SMALL },
  { name: "flaky", label: "Demo: fails every second request", prices: SMALL },
  { name: "tools", label: "Demo: calls your first tool", prices: SMALL },
  {
    name: "expensive",
    label: "Demo: costs a lot",
    prices: { input: 150_000_000, output: 600_000_000 },
  },
  {
    name: "embed",
    label: "Demo: embeddings",
    prices: { input: 20_000, output: 0 },
    kind: "embedding",
  },
];

/** When these made-up figures were set. */
const DATE = "2026-11-20";

const CONTEXT_TOKENS = 128_000;
const MAX_OUTPUT_TOKENS = 16_000;

const capabilitiesOf = ({ kind }: DemoModel): Capabilities =>
  kind === "embedding"
    ? {}
    : { tools: true, structuredOutput: true, reasoning: false, temperature: true };

/** The demo's models; `demo/echo` and the like name them. */
export const DEMO_MODELS: readonly CatalogModel[] = ROWS.map((row) => ({
  id: `demo-${row.name}`,
  name: row.label,
  author: "turnpike",
  kind: row.kind ?? "chat",
  aliases: [],
  input: row.kind === "embedding" ? ["text"] : ["text", "image", "audio", "video", "file"],
  output: ["text"],
  capabilities: capabilitiesOf(row),
}));

export const DEMO_ENDPOINTS: readonly CatalogEndpoint[] = ROWS.map((row) => ({
  model: `demo-${row.name}`,
  provider: "demo",
  upstreamModel: row.name,
  contextTokens: CONTEXT_TOKENS,
  ...(row.kind === undefined && { maxOutputTokens: MAX_OUTPUT_TOKENS }),
  prices: row.prices,
  source: { name: "built in (made up)", date: DATE },
}));
