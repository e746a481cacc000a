import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import {
  asArray,
  asObject,
  asObjects,
  asString,
  type JsonObject,
} from "../../gateway/src/lib/json.ts";

/** A tool as a provider was offered it. */
export interface OfferedTool {
  readonly name: string;
  readonly schema: JsonObject;
}

const named = (tool: JsonObject, schema: string): OfferedTool => ({
  name: asString(tool["name"]) ?? "",
  schema: asObject(tool[schema]),
});

const ofFunctions = (body: JsonObject): OfferedTool[] =>
  asObjects(body["tools"]).map((tool) => named(asObject(tool["function"]), "parameters"));

const READERS: Readonly<Record<UpstreamProtocol, (body: JsonObject) => OfferedTool[]>> = {
  "openai-chat": ofFunctions,
  cohere: ofFunctions,
  "openai-responses": (body) =>
    asObjects(body["tools"])
      .filter(({ type }) => type === "function")
      .map((tool) => named(tool, "parameters")),
  "anthropic-messages": (body) =>
    asObjects(body["tools"])
      .filter((tool) => "input_schema" in tool)
      .map((tool) => named(tool, "input_schema")),
  gemini: (body) =>
    asObjects(body["tools"])
      .flatMap((tool) => asObjects(tool["functionDeclarations"]))
      .map((tool) =>
        named(tool, "parametersJsonSchema" in tool ? "parametersJsonSchema" : "parameters"),
      ),
  "bedrock-converse": (body) =>
    asObjects(asObject(body["toolConfig"])["tools"])
      .map((tool) => asObject(tool["toolSpec"]))
      .map((spec) => ({
        name: asString(spec["name"]) ?? "",
        schema: asObject(asObject(spec["inputSchema"])["json"]),
      })),
};

/** The tools with a schema among those of a request of that protocol. */
export const offeredTools = (protocol: UpstreamProtocol, body: JsonObject): OfferedTool[] =>
  READERS[protocol](body);

const SHELL_TOOLS = ["bash", "shell_command", "exec_command", "shell", "local_shell"];

/** The tool that runs commands, whatever the agent calls it. */
export function findShellTool(tools: readonly OfferedTool[]): OfferedTool | undefined {
  const rank = ({ name }: OfferedTool): number => SHELL_TOOLS.indexOf(name.toLowerCase());
  return tools.filter((tool) => rank(tool) !== -1).toSorted((a, b) => rank(a) - rank(b))[0];
}

/**
 * A tool that Codex offers in a `namespace`, which only OpenAI's protocol has: elsewhere it is a
 * function with both names in one, and Codex has to be told them apart again to find it.
 */
export const findNamespacedTool = (tools: readonly OfferedTool[]): OfferedTool | undefined =>
  tools.find(({ name }) => /^multi_agent.*__wait_agent$/.test(name));

/** Arguments that make a shell tool run a command. */
export function shellArguments({ schema }: OfferedTool, command: string): JsonObject {
  const properties = asObject(schema["properties"]);
  const field = "cmd" in properties ? "cmd" : "command";
  const isList = String(asObject(properties[field])["type"]).toLowerCase() === "array";
  const args = { [field]: isList ? ["bash", "-lc", command] : command };
  return { ...requiredArguments(schema), ...args };
}

/** Something for each argument that a schema requires, and nothing else. */
export function requiredArguments(schema: JsonObject): JsonObject {
  const properties = asObject(schema["properties"]);
  const names = asArray(schema["required"]).filter((name) => typeof name === "string");
  return Object.fromEntries(names.map((name) => [name, sample(asObject(properties[name]))]));
}

function sample({ type }: JsonObject): unknown {
  switch (String(type).toLowerCase()) {
    case "number":
    case "integer":
      return 10_000;
    case "boolean":
      return false;
    case "array":
      return [];
    default:
      return "Runs a command";
  }
}
