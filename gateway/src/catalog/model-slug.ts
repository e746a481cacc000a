/**
 * The one spelling of a model's name, whoever's spelling it was: lower case, no provider, author or
 * region. `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `anthropic/claude-sonnet-4.5-20250929` and
 * `claude-sonnet-4-5@20250929` are all `claude-sonnet-4-5-20250929`. Dates stay (two snapshots are two
 * models), and so do words that name another build: `-fp8`, `-turbo`, `-fast`, `:free`. Two names
 * that might be different models keep two slugs.
 */
export function modelSlug(name: string): string {
  const lower = name.trim().toLowerCase();
  const known = SPECIAL.get(lower);
  if (known !== undefined) return known;
  const last = lower.slice(lower.lastIndexOf("/") + 1);
  // Fireworks writes a point as "p": kimi-k2p6.
  const pointed = lower.startsWith("accounts/") ? last.replaceAll(/(?<=\d)p(?=\d)/g, ".") : last;
  const plain = withoutBedrock(pointed)
    .replace(/@default$/, "")
    .replace(/-maas$/, "")
    .replaceAll("@", "-")
    .replaceAll(/(?<=\d)_(?=\d)/g, ".")
    .replaceAll(/[_\s]+/g, "-");
  return inFamilySpelling(plain);
}

/** Names whose model cannot be told from the spelling. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["deepseek.v3-v1:0", "deepseek-v3.1"],
  ["us.deepseek.r1-v1:0", "deepseek-r1"],
  ["llama-3.3-70b-versatile", "llama-3.3-70b-instruct"],
  ["llama-3.1-8b-instant", "llama-3.1-8b-instruct"],
  ["zai-glm-4.7", "glm-4.7"],
  ["zai-glm-4.6", "glm-4.6"],
  ["cohere.embed-english-v3", "embed-english-v3.0"],
  ["cohere.embed-multilingual-v3", "embed-multilingual-v3.0"],
  ["amazon.rerank-v1:0", "amazon-rerank-v1"],
  ["cohere.rerank-v3-5:0", "rerank-v3.5"],
  ["cohere-rerank-v3-english", "rerank-english-v3.0"],
  ["cohere-rerank-v3-multilingual", "rerank-multilingual-v3.0"],
  ["cohere-embed-v3-english", "embed-english-v3.0"],
  ["cohere-embed-v3-multilingual", "embed-multilingual-v3.0"],
]);

const REGION = /^(?:us-gov|us|eu|apac|global|jp|au|ca|sa|me|af)\.(?=[a-z])/;
const VENDOR =
  /^(ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|xai|zai)\.(?=[a-z])/;

/** Bedrock ids: `region.vendor.name-vN:M`. Any other name comes back as it was. */
function withoutBedrock(name: string): string {
  const local = name.replace(REGION, "");
  const vendor = VENDOR.exec(local)?.[1];
  if (vendor === undefined) return name;
  const rest = local.slice(vendor.length + 1).replace(/:0$/, "");
  const named = vendor === "deepseek" && !rest.startsWith("deepseek") ? `deepseek-${rest}` : rest;
  // Here the number is the model's own version, not the API's.
  if (/^(?:titan|embed|rerank|claude-v|claude-instant)/.test(named)) return named;
  return named
    .replace(/(?<=-20\d{6})-v\d+$/, "")
    .replace(/-v(0):(\d)$/, "-v$1.$2")
    .replace(/-v1$/, "")
    .replace(/^(gpt-oss-.+)-1$/, "$1");
}

/** How each family's names are brought to one spelling; the first that matches is used alone. */
const FAMILIES: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^claude/, claudeSpelling],
  [/^(?:meta-)?llama/, llamaSpelling],
  [/^gpt-35-turbo/, (name) => name.replace("gpt-35", "gpt-3.5")],
  [/^nova-/, (name) => name.replace(/-v1$/, "")],
  [/^deepseek-v3-/, (name) => name.replace(/^deepseek-v3-([12])(?=$|-)/, "deepseek-v3.$1")],
  [/^glm-/, (name) => name.replace(/^glm-(\d)-(\d)(?=$|-)/, "glm-$1.$2")],
  [/^qwen-?\d/, (name) => name.replace(/^qwen-?(\d)[-.](\d)(?=$|-)/, "qwen$1.$2")],
  [/^doubao-seed-\d/, (name) => name.replace(/^doubao-seed-(\d)-(\d)(?=$|-)/, "doubao-seed-$1.$2")],
  [/^grok-\d/, (name) => name.replace(/^grok-(\d)-(\d{1,2})(?=$|-)/, "grok-$1.$2")],
  [
    /^kimi-k2/,
    (name) => name.replace(/^kimi-k2(?:-instruct)?-(0905|0711)(?:-preview)?$/, "kimi-k2-$1"),
  ],
  [/^cohere-/, (name) => name.slice("cohere-".length)],
];

function inFamilySpelling(name: string): string {
  const family = FAMILIES.find(([pattern]) => pattern.test(name));
  return family === undefined ? name : family[1](name);
}

/** Anthropic's own spelling: `claude-sonnet-4-5`, and `claude-3-5-sonnet` before version 4. */
function claudeSpelling(name: string): string {
  return name
    .replaceAll(/(?<=\d)\.(?=\d)/g, "-")
    .replace(/^claude-([4-9])(-\d{1,2})?-(opus|sonnet|haiku)(?=$|-|:)/, "claude-$3-$1$2")
    .replace(/^(claude-(?:opus|sonnet|haiku)-\d)-0(?=$|-)/, "$1")
    .replace(/(?<=-20\d{6})-v\d+:0$/, "")
    .replace(/^(claude-.*\d.*)-latest$/, "$1");
}

/** Meta's release spelling: `llama-3.3-70b-instruct`; Llama 4 by its short name. */
function llamaSpelling(name: string): string {
  return name
    .replace(/^meta-llama/, "llama")
    .replace(/^llama-?v?(\d)/, "llama-$1")
    .replace(/^llama-3-([123])-(?=\d+b)/, "llama-3.$1-")
    .replace(/^llama-4-maverick-17b(?:-128e)?-instruct(?=$|-)/, "llama-4-maverick")
    .replace(/^llama-4-scout-17b(?:-16e)?-instruct(?=$|-)/, "llama-4-scout");
}

/** A slug's dated part, if it ends in one: `gpt-4o-2024-08-06` is `gpt-4o` of 20240806. */
export function splitSnapshot(slug: string): { readonly base: string; readonly snapshot?: string } {
  const full = /^(.+)-(20\d{2})-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$/.exec(slug);
  if (full?.[1] !== undefined) return { base: full[1], snapshot: full.slice(2).join("") };
  const short =
    /^((?:doubao|deepseek|glm|kimi).*)-(2[3-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))$/.exec(
      slug,
    );
  if (short?.[1] !== undefined) return { base: short[1], snapshot: `20${short[2]}` };
  const build = /^(gemini.*)-(00\d)$/.exec(slug);
  if (build?.[1] !== undefined && !build[1].includes("embedding")) {
    return { base: build[1], snapshot: String(build[2]) };
  }
  return { base: slug };
}
