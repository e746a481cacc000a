import type { EmbeddingRequest, EmbeddingResponse } from "#canonical/embedding.ts";
import { estimateTokens } from "#canonical/estimate-tokens.ts";
import type { ModerationRequest, ModerationResponse } from "#canonical/moderation.ts";
import type { RerankRequest, RerankResponse } from "#canonical/rerank.ts";
import type { Usage } from "#canonical/usage.ts";
import { parseObject } from "#lib/json.ts";
import { cohereEmbedUpstream } from "#protocols/cohere-embed/codec.ts";
import type { Loss } from "#protocols/codec.ts";
import { geminiEmbedUpstream } from "#protocols/gemini-embed/codec.ts";
import {
  openaiEmbeddingsClient,
  openaiEmbeddingsUpstream,
} from "#protocols/openai-embeddings/codec.ts";
import {
  openaiModerationsClient,
  openaiModerationsUpstream,
} from "#protocols/openai-moderations/codec.ts";
import type { OperationClientCodec, OperationUpstreamCodec } from "#protocols/operation-codec.ts";
import { rerankClient, rerankUpstream } from "#protocols/rerank/codec.ts";
import type { OperationProtocol, OperationSpeech } from "#providers/provider.ts";
import type { AttemptResult, Call, ParsedCall, Spending } from "#pipeline/call.ts";
import { chargeUsd } from "#pipeline/call-money.ts";
import { inputCapabilities } from "#pipeline/capabilities-used.ts";
import type { OperationName } from "#canonical/operation-name.ts";
import { withoutGatewayFields } from "#pipeline/gateway-options.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import type { Attempt } from "#pipeline/attempt.ts";
import { isAnswer, malformed, readText, sendAttempt } from "#pipeline/send-attempt.ts";

type Upstreams<Request, Response> = Readonly<
  Partial<Record<OperationProtocol, OperationUpstreamCodec<Request, Response>>>
>;

/** An operation with one request, one whole answer and no stream. */
interface VectorOperation<Request, Response> {
  readonly name: OperationName;
  readonly client: OperationClientCodec<Request, Response>;
  readonly upstreams: Upstreams<Request, Response>;
  readonly defaultModel?: string;
}

interface AnyRequest {
  readonly model?: string;
  readonly user?: string;
}

interface AnyResponse {
  readonly id?: string;
  readonly usage?: Usage;
}

const EMBEDDINGS: VectorOperation<EmbeddingRequest, EmbeddingResponse> = {
  name: "embeddings",
  client: openaiEmbeddingsClient,
  upstreams: {
    "openai-embeddings": openaiEmbeddingsUpstream,
    "cohere-embed": cohereEmbedUpstream,
    "gemini-embed": geminiEmbedUpstream,
  },
};

const RERANK: VectorOperation<RerankRequest, RerankResponse> = {
  name: "rerank",
  client: rerankClient,
  upstreams: {
    "cohere-rerank": rerankUpstream("cohere"),
    "jina-rerank": rerankUpstream("jina"),
    "voyage-rerank": rerankUpstream("voyage"),
  },
};

const MODERATIONS: VectorOperation<ModerationRequest, ModerationResponse> = {
  name: "moderations",
  client: openaiModerationsClient,
  upstreams: { "openai-moderations": openaiModerationsUpstream },
  // OpenAI's clients may leave the model out.
  defaultModel: "omni-moderation-latest",
};

export const parseEmbeddings = (call: Call, body: JsonBody): ParsedCall =>
  parse(EMBEDDINGS, call, body);
export const parseRerank = (call: Call, body: JsonBody): ParsedCall => parse(RERANK, call, body);
export const parseModerations = (call: Call, body: JsonBody): ParsedCall =>
  parse(MODERATIONS, call, body);

function parse<Request extends AnyRequest, Response extends AnyResponse>(
  operation: VectorOperation<Request, Response>,
  call: Call,
  body: JsonBody,
): ParsedCall {
  const request = operation.client.parseRequest(withoutGatewayFields(body.object));
  return {
    model: request.model ?? operation.defaultModel ?? "",
    stream: false,
    needs: {
      operation: operation.name,
      protocol: call.exchange.protocol,
      inputTokens: 0,
      modalities: [],
      tools: false,
    },
    ...(request.user !== undefined && { endUser: request.user }),
    capabilities: () => inputCapabilities(body.object),
    spending: spendingOf(body.text),
    attempt: (attempt) => callRoute(operation, { call, request, text: body.text, attempt }),
    renderStreamFailure: () => "",
  };
}

/** A search unit is a query with up to 100 documents; a longer one counts once for each 500 tokens. */
const UNIT_DOCUMENTS = 100;
const DOCUMENT_TOKENS = 500;

/** A token is a byte at least, and no document is shorter than the quotes around it. */
function spendingOf(text: string): Spending {
  const inputTokens = Buffer.byteLength(text);
  const documents = text.split('"').length + inputTokens / DOCUMENT_TOKENS;
  const bound = {
    inputTokens,
    tier: "default",
    audio: false,
    images: false,
    webSearches: 0,
    searchUnits: Math.ceil(documents / UNIT_DOCUMENTS),
  } as const;
  return { boundOf: () => bound, answers: 1, writes: false };
}

interface VectorAttempt<Request> {
  readonly call: Call;
  readonly request: Request;
  readonly text: string;
  readonly attempt: Attempt;
}

async function callRoute<Request extends AnyRequest, Response extends AnyResponse>(
  { client, upstreams }: VectorOperation<Request, Response>,
  { call, request, text, attempt }: VectorAttempt<Request>,
): Promise<AttemptResult> {
  const { route } = attempt;
  const { protocol } = route.speech as OperationSpeech;
  const codec = upstreams[protocol];
  if (codec === undefined) throw new Error(`no codec for ${protocol}`);
  const losses: Loss[] = [];
  const body = codec.renderRequest(request, {
    upstreamModel: route.endpoint.upstreamModel,
    reportLoss: (field, reason) => void losses.push({ field, reason }),
  });
  if (call.options?.provider.requireParameters === true && losses.length > 0) {
    const fields = losses.map(({ field }) => field).join(", ");
    return {
      failure: {
        code: "unsupported_parameter",
        message: `${route.endpoint.provider} cannot do: ${fields}.`,
      },
    };
  }
  const answer = await sendAttempt(call, attempt, {
    body: JSON.stringify(body),
    headers: {},
    stream: false,
  });
  if (!isAnswer(answer)) return { failure: answer };
  const received = await readText(answer);
  if (typeof received !== "string") return { failure: received };
  const { status, headers } = answer;
  if (status >= 300) return { failure: codec.parseError({ status, headers, text: received }) };
  const object = parseObject(received);
  if (object === undefined) return { failure: malformed(answer, received) };
  const response = codec.parseResponse(object);
  if ("code" in response) return { failure: response };
  return answerOf({ client, response, losses }, { call, request, text, attempt });
}

function answerOf<Request extends AnyRequest, Response extends AnyResponse>(
  given: {
    readonly client: OperationClientCodec<Request, Response>;
    readonly response: Response;
    readonly losses: readonly Loss[];
  },
  { call, request, text, attempt }: VectorAttempt<Request>,
): AttemptResult {
  const { client, response, losses } = given;
  const { route } = attempt;
  const estimateUsage = (): Usage => ({
    inputTokens: estimateTokens(text),
    outputTokens: 0,
    estimated: true,
  });
  const usage = response.usage ?? estimateUsage();
  const rendered = client.renderResponse(
    { ...response, usage },
    {
      request,
      requestId: call.exchange.requestId,
      model: route.endpoint.upstreamModel,
      costUsd: (used) => chargeUsd(call, route, { usage: used, tier: "default" }),
    },
  );
  const base = { route, lane: "translated", losses, tier: "default", estimateUsage } as const;
  const upstreamId = response.id ?? null;
  return {
    kind: "whole" as const,
    ...base,
    usage,
    finish: null,
    upstreamId,
    body: JSON.stringify(rendered),
  };
}
