import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import type { FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";
import { isObject, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { jsonSchemaOf } from "./schema.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

const SERVER_KINDS: Readonly<Record<string, ServerTool["kind"]>> = {
  googleSearch: "web-search",
  googleSearchRetrieval: "web-search",
  urlContext: "web-fetch",
  codeExecution: "code-execution",
};

/** Reads `tools`: lists of functions, and the provider's own tools, one a member. */
export function parseTools(reader: FieldReader): readonly Tool[] | undefined {
  return reader
    .objects("tools")
    ?.flatMap((tool) => parseTool(new FieldReader(camelKeys(tool.object), tool.path)));
}

function parseTool(tool: FieldReader): Tool[] {
  const functions = tool.objects("functionDeclarations")?.map(parseFunction) ?? [];
  const others = Object.keys(tool.object).filter(
    (key) => key !== "functionDeclarations" && isObject(tool.object[key]),
  );
  return [...functions, ...others.map((key) => serverTool(key, tool.object[key]))];
}

const serverTool = (key: string, value: unknown): ServerTool => ({
  type: "server",
  kind: ownValue(SERVER_KINDS, key) ?? "other",
  protocol: "gemini",
  value: { [key]: value },
});

function parseFunction(declaration: FieldReader): FunctionTool {
  const reader = new FieldReader(camelKeys(declaration.object), declaration.path);
  const description = reader.string("description");
  const own = reader.objectAt("parameters");
  const parameters =
    reader.objectAt("parametersJsonSchema") ?? (own === undefined ? undefined : jsonSchemaOf(own));
  return {
    type: "function",
    name: reader.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
  };
}

interface ParsedToolConfig {
  readonly members: Pick<ChatRequest, "toolChoice">;
  readonly extra: JsonObject;
}

/** Reads `toolConfig`; what the vocabulary cannot say of it stays whole in `extra`. */
export function parseToolConfig(wire: JsonObject | undefined): ParsedToolConfig {
  if (wire === undefined) return { members: {}, extra: {} };
  const { functionCallingConfig, ...rest } = camelKeys(wire);
  const calling = new FieldReader(
    camelObject(functionCallingConfig),
    "toolConfig.functionCallingConfig",
  );
  const names = calling.strings("allowedFunctionNames") ?? [];
  const mode = calling.string("mode")?.toUpperCase();
  const isWhole = Object.keys(rest).length === 0 && names.length < 2 && mode !== "VALIDATED";
  const toolChoice = parseChoice(mode, names, calling);
  return {
    members: toolChoice === undefined ? {} : { toolChoice },
    extra: isWhole ? {} : { toolConfig: wire },
  };
}

function parseChoice(
  mode: string | undefined,
  names: readonly string[],
  calling: FieldReader,
): ToolChoice | undefined {
  const [name, ...others] = names;
  switch (mode) {
    case undefined:
    case "MODE_UNSPECIFIED":
      return undefined;
    case "AUTO":
    case "VALIDATED":
      return { type: "auto" };
    case "NONE":
      return { type: "none" };
    case "ANY":
      return name !== undefined && others.length === 0
        ? { type: "tool", name }
        : { type: "required" };
    default:
      throw invalidRequest(
        calling.field("mode"),
        `${calling.field("mode")} must be AUTO, ANY or NONE`,
      );
  }
}
