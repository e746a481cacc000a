import { setTimeout as sleep } from "node:timers/promises";

import { asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import { bytes, status, type ReceivedRequest, type Script } from "#test/fake-upstream.ts";
import type { TestGateway } from "#test/start-gateway.ts";
import { anthropicMessagesClient } from "./ingress/anthropic-messages.ts";
import type { Client } from "./ingress/client.ts";
import { geminiClient } from "./ingress/gemini.ts";
import { openaiChatClient } from "./ingress/openai-chat.ts";
import { openaiResponsesClient } from "./ingress/openai-responses.ts";
import { mismatch } from "./matches.ts";
import { HELLO, UPSTREAMS } from "./scenario.ts";
import type { Answer, Call, Ingress, Scenario, Seen, Upstream } from "./scenario.ts";
import { anthropicMessages } from "./upstream/anthropic-messages.ts";
import { bedrockConverse } from "./upstream/bedrock-converse.ts";
import { cohere } from "./upstream/cohere.ts";
import type { FakeProvider } from "./upstream/fake-provider.ts";
import { gemini } from "./upstream/gemini.ts";
import { openaiChat } from "./upstream/openai-chat.ts";
import { openaiResponses } from "./upstream/openai-responses.ts";

const CLIENTS: Readonly<Record<Ingress, Client>> = {
  "openai-chat": openaiChatClient,
  "openai-responses": openaiResponsesClient,
  "anthropic-messages": anthropicMessagesClient,
  gemini: geminiClient,
};

const PROVIDERS: Readonly<Record<Upstream, FakeProvider>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
  gemini,
  "bedrock-converse": bedrockConverse,
  cohere,
};

export interface Cell {
  readonly scenario: Scenario;
  readonly ingress: Ingress;
  readonly upstream: Upstream;
  readonly stream: boolean;
}

export interface CellResult {
  /** Why the cell does not exist. */
  readonly notApplicable?: string;
  /** What is not as it must be, on the way there or back. */
  readonly faults: readonly string[];
  /** `field: reason` of every loss that the gateway told of. */
  readonly warnings: readonly string[];
}

/** Members of an answer that a look at the client's side depends on. */
const NEEDED: Readonly<Partial<Record<keyof Seen, keyof Answer>>> = {
  citations: "citation",
  logprobs: "logprobs",
  refusal: "refusal",
  second: "second",
  stopSequence: "stopSequence",
};

export async function runCell(gateway: TestGateway, cell: Cell): Promise<CellResult> {
  const { scenario, ingress, upstream, stream } = cell;
  const ask = scenario.ask[ingress];
  const reason = typeof ask === "string" ? ask : impossible(scenario, upstream);
  if (reason !== undefined || typeof ask === "string") {
    return { notApplicable: reason ?? "", faults: [], warnings: [] };
  }
  if (scenario.streamOnly === true && !stream) {
    return { notApplicable: "only streams can do this", faults: [], warnings: [] };
  }
  if (scenario.error !== undefined) return runError(gateway, cell);
  return scenario.replay === undefined ? runOne(gateway, cell, ask) : runTwo(gateway, cell, ask);
}

/** Scenarios that ask for nothing and whose whole point the provider's protocol cannot say. */
function impossible({ answer, sent }: Scenario, upstream: Upstream): string | undefined {
  const { cannot } = PROVIDERS[upstream];
  const asksNothing = Object.keys(asObject(sent[upstream])).length === 0;
  if (!asksNothing || answer === undefined || sent[upstream] === null) return undefined;
  if (typeof sent[upstream] === "function") return undefined;
  const lacking = cannot.find((member) => answer[member] !== undefined);
  return lacking === undefined ? undefined : "the provider's protocol cannot say it";
}

async function runOne(gateway: TestGateway, cell: Cell, ask: JsonObject): Promise<CellResult> {
  const { scenario, upstream } = cell;
  const answer = scenario.answer ?? HELLO;
  const { faults, seen, received, warnings } = await exchange(gateway, cell, { ask, answer });
  const own = cell.ingress === upstream ? scenario.sentAsWritten : undefined;
  const wanted = own ?? scenario.sent[upstream];
  const sent =
    wanted === null ? "the provider's protocol has no word for it" : mismatch(received, wanted);
  const fault = sent === undefined ? [] : [`sent: ${sent}`];
  const looked = seen === undefined ? [] : answerFaults(cell, answer, seen);
  return { faults: [...faults, ...fault, ...looked], warnings };
}

async function runTwo(gateway: TestGateway, cell: Cell, ask: JsonObject): Promise<CellResult> {
  const { scenario, ingress, upstream } = cell;
  const before = UPSTREAMS[(UPSTREAMS.indexOf(upstream) + UPSTREAMS.length - 1) % UPSTREAMS.length];
  const source = scenario.replay === "other" && before !== undefined ? before : upstream;
  const answer = scenario.answer ?? HELLO;
  const first = { ...cell, upstream: source };
  const one = await exchange(gateway, first, { ask, answer });
  if (one.seen === undefined) return { faults: one.faults, warnings: one.warnings };
  const asked = { ...CLIENTS[ingress].base("", false), ...ask };
  const { model: _, stream: __, ...next } = CLIENTS[ingress].next(asked, one.seen);
  const two = await exchange(gateway, cell, { ask: next, answer: HELLO });
  const sent = mismatch(two.received, scenario.sent[upstream]);
  return {
    faults: [
      ...one.faults,
      ...answerFaults(first, answer, one.seen),
      ...two.faults,
      ...(sent === undefined ? [] : [`sent: ${sent}`]),
    ],
    // What the first turn lost is another scenario's matter.
    warnings: two.warnings,
  };
}

interface Asked {
  readonly ask: JsonObject;
  readonly answer: Answer;
}

interface Exchanged {
  readonly faults: string[];
  readonly seen?: Seen;
  readonly received: JsonObject;
  readonly warnings: readonly string[];
}

async function exchange(
  gateway: TestGateway,
  { ingress, upstream, stream }: Cell,
  { ask, answer }: Asked,
): Promise<Exchanged> {
  const client = CLIENTS[ingress];
  const provider = PROVIDERS[upstream];
  gateway.upstream.requests.length = 0;
  gateway.upstream.answer(scripted(provider, answer, stream));
  const path = client.path(provider.model, stream);
  const response = await gateway.post(path, { ...client.base(provider.model, stream), ...ask });
  const text = await response.text();
  const received = gateway.upstream.requests[0]?.body ?? {};
  if (response.status !== 200) {
    return { faults: [`answered ${response.status} ${text}`], received, warnings: [] };
  }
  const warnings = await warningsOf(gateway, response);
  const told = response.headers.get("x-turnpike-warnings") ?? "";
  // The head of a stream goes out before its answer is known: only the record has all.
  const untold = stream ? [] : warnings.filter((warning) => !told.includes(warning));
  try {
    const seen = stream
      ? client.readStream(text)
      : client.readWhole(JSON.parse(text) as JsonObject);
    return { faults: untold.map((text) => `not told: ${text}`), seen, received, warnings };
  } catch (error) {
    return { faults: [`unreadable: ${String(error)} ${text.slice(0, 2000)}`], received, warnings };
  }
}

/** The provider: calls tools by the names that it was told. */
const scripted =
  (provider: FakeProvider, answer: Answer, stream: boolean): Script =>
  (request, response) => {
    const told = { ...answer, ...(answer.calls && { calls: calledAsTold(answer.calls, request) }) };
    const body = stream ? provider.stream(told) : Buffer.from(JSON.stringify(provider.whole(told)));
    const type = stream ? provider.streamType : "application/json";
    return bytes(body, { type, pieceSize: answer.fails ? 64 : 700 })(request, response);
  };

function calledAsTold(calls: readonly Call[], { body }: ReceivedRequest): Call[] {
  const names = toolNames(body);
  return calls.map((call) =>
    names.length === 1 && !names.includes(call.name) ? { ...call, name: names[0] ?? "" } : call,
  );
}

function toolNames(body: JsonObject): string[] {
  const tools = [...asObjects(body["tools"]), ...asObjects(asObject(body["toolConfig"])["tools"])];
  return tools.flatMap((tool) => {
    const nested = [...asObjects(tool["functionDeclarations"]), ...asObjects(tool["tools"])];
    const holders =
      nested.length > 0 ? nested : [tool["function"] ?? tool["custom"] ?? tool["toolSpec"] ?? tool];
    return holders.map((holder) => asString(asObject(holder)["name"]) ?? "");
  });
}

async function warningsOf(gateway: TestGateway, response: Response): Promise<string[]> {
  const id = response.headers.get("x-request-id") ?? "";
  for (let tries = 0; tries < 200; tries++) {
    const found = await gateway.get(`/v1/generations/${id}`);
    const record = asObject(asObject(await found.json())["data"]);
    if (found.status === 200) {
      return asObjects(record["warnings"]).map(
        ({ field, reason }) => `${String(field)}: ${String(reason)}`,
      );
    }
    await sleep(5);
  }
  throw new Error(`no record of ${id}`);
}

function answerFaults({ scenario, ingress, upstream }: Cell, answer: Answer, seen: Seen): string[] {
  const client = CLIENTS[ingress];
  const { cannot, tells } = PROVIDERS[upstream];
  const faults: string[] = [];
  const check = (what: string, actual: unknown, wanted: unknown): void => {
    const fault = mismatch(actual, wanted, what);
    if (fault !== undefined) faults.push(`seen: ${fault}`);
  };
  const text = (answer.text ?? []).join("");
  const refusal = client.cannot.includes("refusal") ? (answer.refusal ?? "") : "";
  check("text", seen.text, refusal === "" ? text : refusal);
  check("failed", seen.failed, answer.fails === true);
  if (answer.fails !== true) {
    check("finish", seen.finish, client.finish[tells[answer.finish] ?? answer.finish]);
  }
  for (const member of scenario.look ?? []) {
    const needed = NEEDED[member];
    if (client.cannot.includes(member)) continue;
    if (needed !== undefined && cannot.includes(needed)) continue;
    check(member, seen[member], expectation(member, answer, { ingress, upstream }));
  }
  return faults;
}

/** Counts that a provider's usage does not tell apart. */
const UNCOUNTED: Readonly<Partial<Record<Upstream, readonly (keyof Seen)[]>>> = {
  "bedrock-converse": ["reasoningTokens"],
  cohere: ["reasoningTokens"],
};

function expectation(
  member: keyof Seen,
  answer: Answer,
  { ingress, upstream }: Pick<Cell, "ingress" | "upstream">,
): unknown {
  const { usage } = answer;
  if (UNCOUNTED[upstream]?.includes(member) === true) return 0;
  switch (member) {
    case "calls": {
      // Gemini gives its calls no ids, so its own clients see none.
      const id = ingress === "gemini" && upstream === "gemini" ? undefined : { id: isId };
      return (answer.calls ?? []).map((call) => ({ ...expectedCall(call, ingress), ...id }));
    }
    case "reasoning":
      return (answer.reasoning ?? []).join("");
    case "citations":
      return answer.citation && [answer.citation.url];
    case "logprobs":
      return answer.text?.length;
    case "cacheRead":
      return usage.cacheRead ?? 0;
    case "reasoningTokens":
      return usage.reasoning ?? 0;
    case "input":
    case "output":
      return usage[member];
    default:
      return answer[member as "refusal" | "second" | "stopSequence"];
  }
}

const isId = (id: unknown): string | undefined =>
  typeof id === "string" && id !== "" ? undefined : "is no id";

function expectedCall({ name, namespace, custom, input }: Call, ingress: Ingress): JsonObject {
  const json = input.join("");
  const called = namespace === undefined ? name : name.slice(namespace.length + 2);
  return {
    name: called,
    ...(namespace !== undefined && { namespace }),
    ...(custom === undefined
      ? { input: JSON.parse(json === "" ? "{}" : json) as unknown }
      : ingress.startsWith("openai-") && { custom }),
  };
}

async function runError(gateway: TestGateway, cell: Cell): Promise<CellResult> {
  const { scenario, ingress, upstream, stream } = cell;
  const kind = scenario.error ?? "context";
  const client = CLIENTS[ingress];
  const provider = PROVIDERS[upstream];
  const { status: code, body, headers } = provider.error(kind);
  gateway.upstream.answer(status(code, body, headers));
  const response = await gateway.post(
    client.path(provider.model, stream),
    client.base(provider.model, stream),
  );
  const wanted = client.errors[kind];
  const answered = {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: await response.json(),
  };
  const retryAfter = headers?.["retry-after"];
  const fault = mismatch(
    answered,
    { status: wanted.status, body: wanted.error, ...(retryAfter && { retryAfter }) },
    "error",
  );
  return { faults: fault === undefined ? [] : [fault], warnings: [] };
}
