import type { Modality, ModelKind } from "../../gateway/src/catalog/types.ts";
import { modelSlug } from "../../gateway/src/catalog/model-slug.ts";
import type { SourceRow } from "./row.ts";

/** Ids that mean another model at one provider than at the others. */
const AT_PROVIDER: ReadonlyMap<string, string> = new Map([
  // At DeepSeek itself the name moves with each release; OpenRouter kept it for the first V3.
  ["openrouter/deepseek/deepseek-chat", "deepseek-v3"],
  ["novita/deepseek/deepseek-chat", "deepseek-v3"],
]);

/** Rows that are no model that an API of the provider serves by that name. */
const NOT_SERVED: readonly (readonly [provider: RegExp, id: RegExp])[] = [
  // Live audio needs its own protocol and is priced by the session.
  [/./, /realtime|native-audio|-live-|livetranslate|voicechat|lyria|robotics/],
  // OpenRouter's own ids choose a model by themselves.
  [/^openrouter$/, /^openrouter\//],
  [/^openai$/, /^gpt-oss|^container$/],
  [/^azure$/, /^(ada|babbage|curie|davinci|container)$|^doc-intelligence|^search-|^model.router$/],
  // LiteLLM's own spellings and slips: there was no Claude 3.7 of June 2024.
  [/^anthropic$/, /^claude-4-/],
  [/^bedrock$/, /claude-3-7-sonnet-20240620|^openai\.gpt-oss-(20|120)b$|^[^.]+$|^claude/],
  [/^google$/, /^gemini-1\.5|^gemini-exp|^gemini-gemma|^learnlm|^medlm/],
  [/^deepseek$/, /^deepseek-(?!chat$|reasoner$|v4)/],
  [/^perplexity$/, /^(?!sonar(-pro|-reasoning|-reasoning-pro|-deep-research)?$|pplx-embed)/],
  [/^nvidia$/, /active-speaker|paligemma|weaver|translate/],
];

/** False for rows that name no model which can be called. */
export const isServed = ({
  provider,
  upstreamModel,
}: Pick<SourceRow, "provider" | "upstreamModel">): boolean =>
  !NOT_SERVED.some(([of, id]) => of.test(provider) && id.test(upstreamModel.toLowerCase()));

/** The model's slug before snapshots are joined. */
export function slugOf({
  provider,
  upstreamModel,
}: Pick<SourceRow, "provider" | "upstreamModel">): string {
  return AT_PROVIDER.get(`${provider}/${upstreamModel.toLowerCase()}`) ?? modelSlug(upstreamModel);
}

/** Who made it, by the slug's first letters; the first that matches wins. */
const AUTHORS: readonly (readonly [RegExp, string])[] = [
  [/nemotron|nemoretriever|^nv-/, "nvidia"],
  [/^(hermes|nous)/, "nousresearch"],
  [/^claude/, "anthropic"],
  [
    /^(gpt|chatgpt|o[134](-|$)|codex|computer-use|text-embedding-(3|ada)|dall-e|whisper|tts-|sora|omni-moderation|text-moderation|davinci|babbage)/,
    "openai",
  ],
  [
    /^(gemini|gemma|imagen|veo|text-embedding-(0|large|preview)|text-multilingual|multimodalembedding|chirp|lyria|medgemma|learnlm)/,
    "google",
  ],
  [/^(llama|codellama|muse)/, "meta"],
  [/^grok/, "xai"],
  [/^deepseek/, "deepseek"],
  [/^(glm|cogview|cogvideo|autoglm)/, "zai"],
  [/^(kimi|moonshot)/, "moonshot"],
  [/^(minimax|hailuo|abab|speech-0|speech-2)/, "minimax"],
  [/^(qwen|qwq|qvq|wan-|wan2|tongyi)/, "alibaba"],
  [/^(doubao|seed-|seedream|seedance)/, "bytedance"],
  [/^(hunyuan|hy3)/, "tencent"],
  [
    /^(mistral|ministral|mixtral|magistral|codestral|devstral|pixtral|voxtral|open-mi|labs-)/,
    "mistral",
  ],
  [/^(command|embed-|rerank-(v|english|multi)|c4ai|aya|north-)/, "cohere"],
  [/^(nova-|titan|amazon-)/, "amazon"],
  [/^(phi-|mai-|wizardlm)/, "microsoft"],
  [/^(sonar|pplx|r1-1776)/, "perplexity"],
  [/^(jamba|j2-)/, "ai21"],
  [/^ernie/, "baidu"],
  [/^(voyage|rerank-(1|2|lite))/, "voyage"],
  [/^jina/, "jina"],
  [/^flux/, "black-forest-labs"],
  [/^(stable-|sd3|sdxl)/, "stability"],
  [/^palmyra/, "writer"],
  [/^step-/, "stepfun"],
  [/^mimo/, "xiaomi"],
  [/^granite/, "ibm"],
  [/^bge/, "baai"],
];

/** Spellings of one author in the providers' paths. */
const AUTHOR_PATHS: Readonly<Record<string, string>> = {
  "meta-llama": "meta",
  mistralai: "mistral",
  "deepseek-ai": "deepseek",
  moonshotai: "moonshot",
  "zai-org": "zai",
  "z-ai": "zai",
  minimaxai: "minimax",
  "x-ai": "xai",
  qwen: "alibaba",
  "bytedance-seed": "bytedance",
};

/** Who made the model: known families first, then the author in a path, then the provider. */
export function authorOf(slug: string, rows: readonly SourceRow[]): string {
  const family = AUTHORS.find(([pattern]) => pattern.test(slug));
  if (family !== undefined) return family[1];
  for (const { upstreamModel } of rows) {
    const path = upstreamModel
      .toLowerCase()
      .replace(/^@[a-z]+\//, "")
      .replace(/^~/, "");
    const author = path.startsWith("accounts/")
      ? undefined
      : /^([a-z0-9][a-z0-9.-]*)\//.exec(path)?.[1];
    if (author !== undefined) return AUTHOR_PATHS[author] ?? author;
  }
  return rows[0]?.provider ?? "unknown";
}

const KINDS: readonly (readonly [RegExp, ModelKind])[] = [
  [/rerank/, "rerank"],
  [/embed|^(bge|gte|e5|voyage|uae|jina-clip|m2-bert)|-e5-/, "embedding"],
  [/^(omni-moderation|text-moderation|mistral-moderation)/, "moderation"],
  [/^(sora|veo|hailuo)|seedance|-video($|-)|^wan.*(t2v|i2v)|text-to-video/, "video"],
  [
    /^(gpt-image|chatgpt-image|dall-e|imagen|flux|stable-|sd3|sdxl|titan-image|nova-canvas|cogview|seedream|qwen-image|mai-image)|imagine-image/,
    "image",
  ],
  [/^whisper|transcribe|-asr|^parakeet|^canary|^chirp-3|^nova-3/, "transcription"],
  [/^tts-|-tts($|-)|^speech-|orpheus|^chirp$|^magpie|^aura/, "speech"],
];

/** What the model is for: its name says most; else what a source says. */
export function kindOf(slug: string, rows: readonly SourceRow[]): ModelKind {
  const named = KINDS.find(([pattern]) => pattern.test(slug));
  if (named !== undefined) return named[1];
  const said = new Set(rows.map((row) => row.kind).filter((kind) => kind !== undefined));
  const outputs = rows.find((row) => row.output !== undefined)?.output;
  if (outputs?.includes("text") === true || said.has("chat")) return "chat";
  const [first] = said;
  return first ?? kindByOutput(outputs);
}

function kindByOutput(outputs: readonly Modality[] | undefined): ModelKind {
  if (outputs?.includes("video") === true) return "video";
  if (outputs?.includes("image") === true) return "image";
  return outputs?.includes("audio") === true ? "speech" : "chat";
}

/** What goes in and out of a kind when no source says it. */
export const DEFAULT_MODALITIES: Readonly<
  Record<ModelKind, { readonly input: readonly Modality[]; readonly output: readonly Modality[] }>
> = {
  chat: { input: ["text"], output: ["text"] },
  embedding: { input: ["text"], output: ["text"] },
  rerank: { input: ["text"], output: ["text"] },
  moderation: { input: ["text"], output: ["text"] },
  image: { input: ["text"], output: ["image"] },
  speech: { input: ["text"], output: ["audio"] },
  transcription: { input: ["audio"], output: ["text"] },
  video: { input: ["text"], output: ["video"] },
};
