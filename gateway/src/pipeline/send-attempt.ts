import { GatewayError, type Failure } from "#canonical/failure.ts";
import { networkFailure } from "#pipeline/network-failure.ts";
import type { Attempt } from "#pipeline/attempt.ts";
import type { Call } from "#pipeline/call.ts";
import { withFault } from "#pipeline/inject-fault.ts";
import { viaHeaders } from "#pipeline/loop-guard.ts";
import { headerText } from "#pipeline/exchange.ts";
import type { Route } from "#routing/route.ts";
import { buildUrl } from "#providers/build-url.ts";
import type { ConfiguredProvider, Ownership } from "#providers/configured-providers.ts";
import type { UpstreamAnswer } from "#upstream/answer.ts";
import { readAll } from "#upstream/answer.ts";

/** What a provider is sent, apart from where and with which credential. */
export interface Outgoing {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
}

const USER_AGENT = "turnpike";

/** Sends one attempt; a failed connection is a failure value. */
export async function sendAttempt(
  call: Call,
  attempt: Attempt,
  outgoing: Outgoing,
): Promise<UpstreamAnswer | Failure> {
  const { route, timeouts, fault, tracked } = attempt;
  const { configured, speech } = route;
  if (configured.own !== undefined) assertOwn(call, configured.own);
  const url = urlOf(route, outgoing.stream);
  const body = Buffer.from(outgoing.body);
  const send = fault === undefined ? call.gateway.send : withFault(call.gateway.send, fault);
  try {
    const authorization = await configured.authorize({ method: "POST", url, body });
    const answer = await send({
      method: "POST",
      url,
      headers: {
        "content-type": "application/json",
        accept: outgoing.stream ? "text/event-stream" : "application/json",
        // No compression: a hostile answer cannot unfold to gigabytes, and streams are not delayed.
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        ...viaHeaders(call, configured),
        ...("headers" in speech && speech.headers),
        ...outgoing.headers,
        ...authorization,
      },
      body,
      signal: attempt.signal,
      headTimeoutMs: timeouts.headMs,
      idleTimeoutMs: timeouts.idleMs,
      ...(configured.own?.isElsewhere === true && { publicOnly: true }),
    });
    tracked.head(answer.status, answer.headers);
    return answer;
  } catch (error) {
    return networkFailure(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The plan never has another tenant's credential; should it ever, nothing is sent. */
function assertOwn(call: Call, { organizationId }: Ownership): void {
  if (call.access?.organization.id === organizationId) return;
  throw new GatewayError({
    code: "internal",
    message: "A provider key was about to be used for another organization than its own.",
  });
}

/** URLs are built and checked once; callers can name models without end, so not all are kept. */
const urls = new WeakMap<ConfiguredProvider, Map<string, URL>>();
const MAX_URLS = 2_000;

function urlOf({ configured, endpoint, speech }: Route, stream: boolean): URL {
  let known = urls.get(configured);
  if (known === undefined || known.size > MAX_URLS) urls.set(configured, (known = new Map()));
  const path = typeof speech.path === "string" ? speech.path : speech.protocol;
  const key = `${path}\n${stream}\n${endpoint.upstreamModel}`;
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const { provider, variables } = configured;
  const url = buildUrl(provider, speech, { model: endpoint.upstreamModel, stream, variables });
  known.set(key, url);
  return url;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Reads a whole answer as text; what goes wrong on the way is a failure value. */
export async function readText(answer: UpstreamAnswer): Promise<string | Failure> {
  if (isCompressed(answer)) {
    answer.abort();
    return {
      code: "upstream_malformed",
      message: "The provider sent a compressed answer that was not asked for.",
    };
  }
  try {
    return (await readAll(answer, MAX_ANSWER_BYTES)).toString("utf8");
  } catch (error) {
    const failure = networkFailure(error instanceof Error ? error : new Error(String(error)));
    if (failure.code !== "upstream_unreachable") return failure;
    // An error is told by its status, also where its text was cut.
    return answer.status < 300 ? brokenOff(answer) : "";
  }
}

/** Whether a stream is coming: errors, pages and whole answers are read to their end first. */
export function isStream(answer: UpstreamAnswer): boolean {
  const type = headerText(answer.headers, "content-type") ?? "";
  const isText = type.includes("json") || type.includes("html");
  return answer.status < 300 && !isText && !isCompressed(answer);
}

function isCompressed({ headers }: UpstreamAnswer): boolean {
  const encoding = headerText(headers, "content-encoding");
  return encoding !== undefined && encoding !== "identity";
}

/** A connection that fails within an answer has cut it, however the socket puts it. */
const brokenOff = ({ status }: UpstreamAnswer): Failure => ({
  code: "upstream_truncated",
  message: "The provider's answer broke off before its end.",
  upstreamStatus: status,
});

export const isAnswer = (value: UpstreamAnswer | Failure): value is UpstreamAnswer =>
  "status" in value;

/** HTML, plain text, nothing: not an answer of any protocol. */
export function malformed(answer: UpstreamAnswer, text: string): Failure {
  const type = headerText(answer.headers, "content-type")?.split(";")[0] ?? "no content type";
  const what =
    text.trim() === "" ? "an empty body" : `${type.slice(0, 60)} that is not its protocol`;
  return {
    code: "upstream_malformed",
    message: `The provider answered ${answer.status} with ${what}.`,
    upstreamStatus: answer.status,
  };
}
