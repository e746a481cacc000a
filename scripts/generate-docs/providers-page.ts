import { baseUrlVariables } from "../../gateway/src/providers/base-url.ts";
import type { Provider, RetentionFact } from "../../gateway/src/providers/provider.ts";
import { code, generatedFrom, table } from "./markdown.ts";

const PROTOCOLS: Readonly<Record<string, string>> = {
  "openai-chat": "OpenAI Chat",
  "openai-responses": "OpenAI Responses",
  "anthropic-messages": "Anthropic Messages",
  gemini: "Gemini",
  "bedrock-converse": "Bedrock Converse",
  cohere: "Cohere v2",
};

const INTRODUCTION = `# Providers

${generatedFrom("gateway/src/providers")}
Turnpike finds providers by the keys in its environment: set one of the variables of a row and the
provider is there. Providers marked *local* are looked for on this machine at start-up. Anything else
that is compatible with OpenAI or Anthropic is added to \`turnpike.yaml\` with a base URL.

A base URL is replaced by the first of the variables in the last table that is set. A key is only
ever sent to the origins of its provider's row, or to the base URL that you name for it.
`;

function cancelText(cancelStopsBilling: boolean | null): string {
  if (cancelStopsBilling === null) return "not documented";
  return cancelStopsBilling ? "stops billing" : "billed to the end";
}

const answer = (value: boolean | null): string => {
  if (value === null) return "not stated";
  return value ? "yes" : "no";
};

function daysText(days: number | null): string {
  if (days === null) return "not stated";
  return days === 0 ? "not kept" : `${days} days`;
}

function protocolsText(provider: Provider): string {
  const operations = [
    provider.embeddings && "embeddings",
    provider.rerank && "rerank",
    provider.moderations && "moderations",
  ];
  const chat = provider.speaks.map(({ protocol }) => PROTOCOLS[protocol] ?? protocol);
  return [...chat, ...operations.filter((operation) => operation !== undefined)].join(", ");
}

function variablesText(provider: Provider): string {
  const { env, companions = {} } = provider.auth;
  const secrets = env
    .map((name) => [name, ...(companions[name] ?? [])].map(code).join(" with "))
    .join(" or ");
  const needed = Object.values(provider.variables ?? {}).map(
    (variable) =>
      variable.env.map(code).join(" or ") +
      (variable.default === undefined ? "" : ` (default ${code(variable.default)})`),
  );
  return [secrets, ...needed].filter((text) => text !== "").join("; and ");
}

const retentionRow = (id: string, fact: RetentionFact): readonly string[] => [
  code(id),
  daysText(fact.days),
  answer(fact.trainsOnApiData),
  answer(fact.zeroRetentionOffered),
  `[source](${fact.source})`,
  fact.date,
];

/** The page `docs/providers.md`, written from the table. */
export function renderProvidersPage(providers: Readonly<Record<string, Provider>>): string {
  const rows = Object.entries(providers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const overview = rows.map(([id, provider]) => [
    code(id),
    provider.label + (provider.local === true ? " *(local)*" : ""),
    variablesText(provider),
    protocolsText(provider),
    cancelText(provider.cancelStopsBilling),
  ]);
  const retention = rows.flatMap(([id, provider]) =>
    provider.retention === undefined ? [] : [retentionRow(id, provider.retention)],
  );
  const baseUrls = rows.map(([id, provider]) => [
    code(id),
    code(provider.baseUrl),
    baseUrlVariables(id, provider).map(code).join(" "),
  ]);
  return [
    INTRODUCTION,
    table(["Id", "Provider", "Environment", "Speaks", "A cancelled stream"], overview),
    "## What providers keep\n",
    "By default and in their own words. Where a provider is missing, no published statement was\n" +
      "found, and Turnpike treats it as one that keeps prompts.\n",
    table(
      ["Id", "Kept by default", "Trains on API data", "Zero retention", "Source", "Read on"],
      retention,
    ),
    "## Base URLs\n",
    table(["Id", "Base URL", "Replaced by"], baseUrls),
  ].join("\n");
}
