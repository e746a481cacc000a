import { asArray, asObject, type JsonObject } from "../../gateway/src/lib/json.ts";
import type { ReceivedRequest, Script } from "../../gateway/test/fake-upstream.ts";
import type { Received, ToolCall, Turn, Wire } from "../../gateway/test/sdk/wire/wire.ts";
import {
  findNamespacedTool,
  findShellTool,
  offeredTools,
  requiredArguments,
  shellArguments,
  type OfferedTool,
} from "./offered-tools.ts";
import { MARKER, type Task } from "./task.ts";

/** What every answer is said to have used: the records have to say the same. */
export const USAGE = { input: 1_200, output: 34 };

/**
 * Opaque tokens have to come back as they were. They are base64, which Gemini checks, and begin with
 * `E`, by which Claude's are known on Bedrock.
 */
export const signatureOf = (turn: number): string =>
  Buffer.from(`\x12 opaque reasoning of turn ${turn}, long enough to look real`).toString("base64");

/** A provider that does a task like a model would, in the protocol of `wire`: it thinks, calls tools, reads their results. */
export const scriptedModel =
  (wire: Wire, task: Task): Script =>
  (request, response) => {
    const turn = nextTurn(wire, task, request);
    const number = wire.received(request.body).results.length;
    if (wire.wantsStream(request.path, request.body)) {
      response.writeHead(200, { "content-type": wire.streamType });
      response.end(withOwnIds(wire.stream(turn), number));
    } else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(withOwnIds(Buffer.from(JSON.stringify(wire.body(turn))), number));
    }
  };

/** No two answers have the same id: agents and the gateway tell answers apart by them. */
const withOwnIds = (bytes: Buffer, number: number): Buffer =>
  Buffer.from(bytes.toString("latin1").replaceAll("up1", `up${number}`), "latin1");

/** Whether a request belongs to the task: agents ask for titles and the like beside it. */
export const isOfTask = (wire: Wire, body: JsonObject): boolean =>
  shellOf(wire, body) !== undefined && wire.received(body).user.includes(MARKER);

const shellOf = (wire: Wire, body: JsonObject): OfferedTool | undefined =>
  findShellTool(offeredTools(wire.protocol, body));

function nextTurn(wire: Wire, task: Task, { body }: ReceivedRequest): Turn {
  const received = wire.received(body);
  const shell = shellOf(wire, body);
  if (shell === undefined || !isOfTask(wire, body)) return sideAnswer(received);
  const call = (id: string, { command }: { readonly command: string }): ToolCall => ({
    id,
    name: shell.name,
    args: shellArguments(shell, command),
  });
  const { results } = received;
  if (results.length === 0) {
    return {
      reasoning: { text: "The command has to be run.", signature: signatureOf(1) },
      text: "I run it.",
      calls: [call("call_turnpike_1", task.first)],
      usage: USAGE,
    };
  }
  if (results.length === 1) {
    const [second, third] = task.parallel;
    const calls = [call("call_turnpike_2", second), call("call_turnpike_3", third)];
    return {
      reasoning: { text: "Now the other two.", signature: signatureOf(2) },
      calls: [...calls, ...namespacedCall(offeredTools(wire.protocol, body))],
      usage: USAGE,
    };
  }
  const texts = results.map(({ text }) => text).join("\n");
  return { text: `The outputs are:\n${texts}`, usage: USAGE };
}

function namespacedCall(tools: readonly OfferedTool[]): ToolCall[] {
  const tool = findNamespacedTool(tools);
  if (tool === undefined) return [];
  return [{ id: "call_turnpike_4", name: tool.name, args: requiredArguments(tool.schema) }];
}

const sideAnswer = ({ schema }: Received): Turn => ({
  text: schema === undefined ? "A round trip" : JSON.stringify(sampleOf(schema)),
  usage: USAGE,
});

/** An object with the members that a schema names, all of them text. */
const sampleOf = (schema: JsonObject): JsonObject =>
  Object.fromEntries([
    ...Object.keys(asObject(schema["properties"])).map((name) => [name, "A round trip"] as const),
    ...asArray(schema["required"]).map((name) => [String(name), "A round trip"] as const),
  ]);
