import { randomUUID } from "node:crypto";

import { foldEvents } from "../../gateway/src/canonical/fold-events.ts";
import type { ChatResponse } from "../../gateway/src/canonical/chat-response.ts";
import type { ClientProtocol, UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import type { StreamEvent } from "../../gateway/src/canonical/stream-event.ts";
import { parseObject, type JsonObject } from "../../gateway/src/lib/json.ts";
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
import { findCanary, secretsOf, type Secrets } from "./scrub.ts";
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
        await recordConversation({ recorder, take, model, speech }, scenario);
      }
    }
  }
  for (const { labels, outgoing } of operationCalls(configured, askedModel)) {
    await take({ ...labels, ...newSession(recorder) }, outgoing);
  }
  return lines;
}

const newSession = ({ now }: Recorder): Pick<Labels, "session" | "position" | "at"> => ({
  session: randomUUID().replaceAll("-", "").slice(0, 10),
  position: 0,
  at: now(),
});

/** Sends, scrubs, looks for canaries, keeps. `undefined` where the connection failed. */
function taker({ configured, env, send, report }: Recorder, lines: string[]): Take {
  return async (labels, outgoing) => {
    const what = `${labels.endpoint} ${labels.scenario}`;
    try {
      const answer = await exchange(send, configured, outgoing);
      const secrets = secretsOf(configured, env, answer.credentials);
      const line = JSON.stringify(recordingLine(labels, { outgoing, answer }, secrets));
      refuseCanaries(`${line}\n${answer.bytes.toString("latin1").slice(0, 0)}`, secrets, what);
      refuseBinaryCanaries(line, answer, { secrets, what });
      lines.push(line);
      report(`${what}: ${answer.status}, ${answer.bytes.length} bytes`);
      return answer;
    } catch (error) {
      if (error instanceof LeakError) throw error;
      report(`${what}: not recorded, ${error instanceof Error ? error.name : "failed"}`);
      return undefined;
    }
  };
}
