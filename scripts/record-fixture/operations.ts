import type { JsonObject } from "../../gateway/src/lib/json.ts";
import { cohereEmbedUpstream } from "../../gateway/src/protocols/cohere-embed/codec.ts";
import { geminiEmbedUpstream } from "../../gateway/src/protocols/gemini-embed/codec.ts";
import { openaiEmbeddingsUpstream } from "../../gateway/src/protocols/openai-embeddings/codec.ts";
import { openaiModerationsUpstream } from "../../gateway/src/protocols/openai-moderations/codec.ts";
import type { OperationTarget } from "../../gateway/src/protocols/operation-codec.ts";
import { rerankUpstream } from "../../gateway/src/protocols/rerank/codec.ts";
import { buildUrl } from "../../gateway/src/providers/build-url.ts";
import type { ConfiguredProvider } from "../../gateway/src/providers/configured-providers.ts";
import type { OperationProtocol, OperationSpeech } from "../../gateway/src/providers/provider.ts";
import type { Outgoing } from "./exchange.ts";
import type { Labels } from "./line.ts";
import { cheapestModel } from "./target.ts";

/** A request of one of the operations that are not chat. */
export interface OperationCall {
  readonly labels: Omit<Labels, "session" | "position" | "at">;
  readonly outgoing: Outgoing;
}

const EMBEDDING = { input: ["The sky is blue.", "Paris is a city."], model: "" };
const RERANK = {
  query: "capital of France",
  documents: ["Paris is the capital of France.", "Bread is made of flour."],
  style: "cohere",
  model: "",
} as const;
const MODERATION = { input: ["I like flowers."] };

const RENDER: Readonly<Record<OperationProtocol, (target: OperationTarget) => JsonObject>> = {
  "openai-embeddings": (target) => openaiEmbeddingsUpstream.renderRequest(EMBEDDING, target),
  "cohere-embed": (target) => cohereEmbedUpstream.renderRequest(EMBEDDING, target),
  "gemini-embed": (target) => geminiEmbedUpstream.renderRequest(EMBEDDING, target),
  "cohere-rerank": (target) => rerankUpstream("cohere").renderRequest(RERANK, target),
  "jina-rerank": (target) => rerankUpstream("jina").renderRequest(RERANK, target),
  "voyage-rerank": (target) => rerankUpstream("voyage").renderRequest(RERANK, target),
  "openai-moderations": (target) => openaiModerationsUpstream.renderRequest(MODERATION, target),
};

const MODERATION_MODEL = "omni-moderation-latest";

/** One request for every operation that the provider offers with a model that the catalogue has. */
export function operationCalls(configured: ConfiguredProvider): readonly OperationCall[] {
  const { id, provider } = configured;
  const { embeddings, rerank, moderations } = provider;
  return [
    call(configured, "embeddings", { speech: embeddings, model: cheapestModel(id, "embedding") }),
    call(configured, "rerank", { speech: rerank, model: cheapestModel(id, "rerank") }),
    call(configured, "moderations", { speech: moderations, model: MODERATION_MODEL }),
  ].filter((made) => made !== undefined);
}

function call(
  { id, provider, variables }: ConfiguredProvider,
  endpoint: string,
  {
    speech,
    model,
  }: { readonly speech: OperationSpeech | undefined; readonly model: string | undefined },
): OperationCall | undefined {
  if (speech === undefined || model === undefined) return undefined;
  const body = RENDER[speech.protocol]({ upstreamModel: model, reportLoss: () => undefined });
  return {
    labels: { scenario: endpoint, provider: id, endpoint, model, stream: false },
    outgoing: {
      url: buildUrl(provider, speech, { model, stream: false, variables }),
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        "accept-encoding": "identity",
      },
      body: Buffer.from(JSON.stringify(body)),
      wrongKey: false,
    },
  };
}
