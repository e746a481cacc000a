import { createHash } from "node:crypto";

import { asString, isObject, parseObject, type JsonObject } from "../../gateway/src/lib/json.ts";
import type { HeaderMap } from "../../gateway/src/upstream/answer.ts";
import type { Outgoing, RawAnswer } from "./exchange.ts";
import { scrubJson, scrubText, type Secrets } from "./scrub.ts";

/** What is known of an exchange beside its bytes. */
export interface Labels {
  readonly scenario: string;
  readonly provider: string;
  /** The protocol: `openai.chat`, `bedrock.converse-stream`, `embeddings`. */
  readonly endpoint: string;
  readonly model: string;
  readonly stream: boolean;
  /** One a conversation, with the place in it. */
  readonly session: string;
  readonly position: number;
  readonly at: Date;
}

/** Headers of requests that say how the protocol was spoken. */
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "anthropic-beta",
  "anthropic-version",
  "content-type",
  "openai-beta",
]);

/** Headers of answers that a gateway reads, or that explain an answer; ids of customers are not among them. */
const RESPONSE_HEADERS =
  /^(?:content-type|date|server|cache-control|retry-after(?:-ms)?|(?:x-)?request-id|x-should-retry|openai-version|openai-processing-ms|x-amzn-(?:requestid|errortype)|apim-request-id|x-ms-region|.*ratelimit.*)$/;

/** One line of a recording, scrubbed. */
export function recordingLine(
  labels: Labels,
  { outgoing, answer }: { readonly outgoing: Outgoing; readonly answer: RawAnswer },
  secrets: Secrets,
): JsonObject {
  const elided: JsonObject[] = [];
  const sent = elide(parseObject(outgoing.body.toString()), "request.body", elided);
  const body = scrubJson(sent, secrets);
  const { provider, endpoint, model, stream, session, position, at, scenario } = labels;
  const line = {
    session,
    session_pos: position,
    provider,
    endpoint,
    model: scrubText(model, secrets),
    stream,
    features: [scenario],
    recorded_at: at.toISOString().slice(0, 10),
    fidelity: "wire",
    request: {
      method: "POST",
      url: scrubText(outgoing.url.href, secrets),
      headers: keptHeaders(outgoing.headers, (name) => REQUEST_HEADERS.has(name), secrets),
      body,
    },
    response: {
      status: answer.status,
      headers: keptHeaders(answer.headers, (name) => RESPONSE_HEADERS.test(name), secrets),
      ...responseBody(answer, secrets),
    },
    ...(elided.length > 0 && { elided }),
  };
  const id = createHash("sha256")
    .update(`${at.getTime()} ${JSON.stringify(line)}`)
    .digest("hex");
  return { id: id.slice(0, 12), ...line };
}

function keptHeaders(
  headers: HeaderMap,
  keep: (name: string) => boolean,
  secrets: Secrets,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value.join(", ") : value;
    if (text !== undefined && keep(name)) kept[name] = scrubText(text, secrets);
  }
  return kept;
}

/** The answer's body in the form that loses nothing of it. */
function responseBody({ bytes, headers, chunkSizes }: RawAnswer, secrets: Secrets): JsonObject {
  const type = asString(headers["content-type"]) ?? "";
  // Binary frames have checksums: they are written as they are, and the canary is looked for in them.
  if (type.includes("vnd.amazon.eventstream")) {
    return { eventstream_b64: bytes.toString("base64"), chunk_sizes: chunkSizes };
  }
  const text = bytes.toString();
  if (type.includes("event-stream")) {
    const scrubbed = scrubText(text, secrets);
    const sep = scrubbed.includes("\r\n\r\n") ? "\r\n\r\n" : "\n\n";
    const parts = scrubbed.split(sep);
    const tail = parts.pop() ?? "";
    return { sse: parts, sep, tail, ...(scrubbed === text && { chunk_sizes: chunkSizes }) };
  }
  const json = parseJson(text);
  return json === undefined
    ? { text: scrubText(text, secrets) }
    : { body: scrubJson(json, secrets) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const LONG = 20_000;
const KEPT = 200;

/** Very long texts of requests are cut: the prompt that is too long for the model has megabytes. */
function elide(value: unknown, path: string, elided: JsonObject[]): unknown {
  if (typeof value === "string" && value.length > LONG) {
    const sha256 = createHash("sha256").update(value).digest("hex");
    elided.push({ path, len: value.length, sha256 });
    return `${value.slice(0, KEPT)}[ELIDED ${value.length - KEPT} chars]`;
  }
  if (Array.isArray(value)) return value.map((item, at) => elide(item, `${path}[${at}]`, elided));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, elide(item, `${path}.${key}`, elided)]),
  );
}
