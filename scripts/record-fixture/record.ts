import { randomUUID } from "node:crypto";

import { foldEvents } from "../../gateway/src/canonical/fold-events.ts";
import type { ChatResponse } from "../../gateway/src/canonical/chat-response.ts";
import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import { parseObject } from "../../gateway/src/lib/json.ts";
import { sseEventFramer } from "../../gateway/src/pipeline/translated-lane.ts";
import { AwsEventFramer } from "../../gateway/src/protocols/bedrock-converse/frames.ts";
import { UPSTREAM_CODECS } from "../../gateway/src/protocols/registry.ts";
import { buildUrl } from "../../gateway/src/providers/build-url.ts";
import type { ConfiguredProvider } from "../../gateway/src/providers/configured-providers.ts";
import type { Environment, Speech } from "../../gateway/src/providers/provider.ts";
import type { Send } from "../../gateway/src/upstream/answer.ts";
import { exchange, type Outgoing, type RawAnswer } from "./exchange.ts";
import { recordingLine, type Labels } from "./line.ts";
import { operationCalls } from "./operations.ts";
import { standardScenarios, type Scenario } from "./scenarios.ts";
import { findCanary, secretsOf } from "./scrub.ts";
import { chatModel, type RecordedModel } from "./target.ts";

/** What a recording needs of the world. */
export interface Recorder {
  readonly configured: ConfiguredProvider;
  readonly env: Environment;
  readonly send: Send;
  readonly now: () => Date;
  /** Told what has just been recorded. */
  readonly report: (text: string) => void;
}

type Take = (labels: Labels, outgoing: Outgoing) => Promise<RawAnswer | undefined>;

/**
 * Runs the standard scenarios in every protocol that the provider speaks with the model, and its
 * other operations. Gives the lines to write. Throws where a line would hold part of a key.
 */
export async function recordProvider(
  recorder: Recorder,
  askedModel: string | undefined,
): Promise<readonly string[]> {
  const { configured } = recorder;
  const lines: string[] = [];
  const take = taker(recorder, lines);
  if (configured.provider.speaks.length > 0) {
    const model = chatModel(configured, askedModel);
    for (const speech of model.speeches) {
      for (const scenario of standardScenarios(model, randomUUID())) {
        await recordConversation(
          { configured, take, model, speech },
          scenario,
          newSession(recorder),
        );
      }
    }
  }
  for (const { labels, outgoing } of operationCalls(configured)) {
    await take({ ...labels, ...newSession(recorder), position: 0 }, outgoing);
  }
  return lines;
}

const newSession = ({ now }: Recorder): Pick<Labels, "session" | "at"> => ({
  session: randomUUID().replaceAll("-", "").slice(0, 10),
  at: now(),
});

/** Sends, scrubs, looks for canaries, keeps. `undefined` where the connection failed. */
function taker({ configured, env, send, report }: Recorder, lines: string[]): Take {
  return async (labels, outgoing) => {
    const what = `${labels.endpoint} ${labels.scenario}`;
    let answer: RawAnswer;
    try {
      answer = await exchange(send, configured, outgoing);
    } catch (error) {
      report(`${what}: not recorded, ${error instanceof Error ? error.message : "it failed"}`);
      return undefined;
    }
    const secrets = secretsOf(configured, env, answer.credentials);
    const line = JSON.stringify(recordingLine(labels, { outgoing, answer }, secrets));
    // Binary frames are in the line as base64, which hides what is in them.
    const seen = line.includes('"eventstream_b64"') ? line + answer.bytes.toString("latin1") : line;
    if (findCanary(seen, secrets)) {
      throw new Error(`The answer to ${what} holds part of a key. Nothing was written.`);
    }
    lines.push(line);
    report(`${what}: ${answer.status}, ${answer.bytes.length} bytes`);
    return answer;
  };
}

interface ChatRecording {
  readonly configured: ConfiguredProvider;
  readonly take: Take;
  readonly model: RecordedModel;
  readonly speech: Speech;
}

/** A scenario and the turns that follow from its answers. */
async function recordConversation(
  recording: ChatRecording,
  first: Scenario,
  session: Pick<Labels, "session" | "at">,
): Promise<void> {
  const { configured, take, model, speech } = recording;
  let scenario: Scenario | undefined = first;
  for (let position = 0; scenario !== undefined; position++) {
    const outgoing = chatRequest(recording, scenario);
    if (outgoing === undefined) return;
    const stream: boolean = scenario.request.stream;
    const labels: Labels = {
      ...session,
      position,
      scenario: scenario.name,
      provider: configured.id,
      endpoint: ENDPOINTS[speech.protocol](stream),
      model: scenario.model ?? model.upstreamModel,
      stream,
    };
    const answer = await take(labels, outgoing);
    const parsed: ChatResponse | undefined =
      answer?.status === 200 ? parseAnswer(answer, speech, stream) : undefined;
    scenario = parsed && scenario.next?.(parsed);
  }
}

/** How recordings name the protocols. */
const ENDPOINTS: Readonly<Record<UpstreamProtocol, (stream: boolean) => string>> = {
  "openai-chat": () => "openai.chat",
  "openai-responses": () => "openai.responses",
  "anthropic-messages": () => "anthropic.messages",
  gemini: (stream) => `gemini.${stream ? "streamGenerateContent" : "generateContent"}`,
  "bedrock-converse": (stream) => `bedrock.converse${stream ? "-stream" : ""}`,
  cohere: () => "cohere.v2.chat",
};

/** The request as the gateway would send it; `undefined` where the protocol cannot say it. */
function chatRequest(
  { configured, model, speech }: ChatRecording,
  scenario: Scenario,
): Outgoing | undefined {
  const codec = UPSTREAM_CODECS[speech.protocol];
  const upstreamModel = scenario.model ?? model.upstreamModel;
  const { stream } = scenario.request;
  const request = { ...scenario.request, protocol: "openai-chat", model: upstreamModel } as const;
  const target = { upstreamModel, dialect: speech.dialect };
  if (codec.lacksFormat?.(request, target) === true) return undefined;
  const { body, headers = {} } = codec.renderRequest(request, {
    ...target,
    reportLoss: () => undefined,
    ...(model.maxOutputTokens !== undefined && { maxOutputTokens: model.maxOutputTokens }),
  });
  return {
    url: buildUrl(configured.provider, speech, {
      model: upstreamModel,
      stream,
      variables: configured.variables,
    }),
    headers: {
      "content-type": "application/json",
      accept: stream ? "text/event-stream" : "application/json",
      "accept-encoding": "identity",
      ...speech.headers,
      ...headers,
    },
    body: Buffer.from(JSON.stringify(body)),
    wrongKey: scenario.wrongKey === true,
  };
}

function parseAnswer(
  { bytes, headers }: RawAnswer,
  { protocol, dialect }: Speech,
  stream: boolean,
): ChatResponse | undefined {
  const codec = UPSTREAM_CODECS[protocol];
  if (stream) {
    const binary = String(headers["content-type"]).includes("vnd.amazon.eventstream");
    const framer = binary ? new AwsEventFramer() : sseEventFramer();
    const parser = codec.createStreamParser(dialect);
    const events = [...framer.push(bytes), ...framer.end()].flatMap((event) => parser.push(event));
    return foldEvents([...events, ...parser.end()]);
  }
  const response = codec.parseResponse(parseObject(bytes.toString()) ?? {}, dialect);
  return "code" in response ? undefined : response;
}
