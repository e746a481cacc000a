import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { CustomTool, FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";

/** Reads `tools`; namespaces become flat functions that remember where they come from. */
export const parseTools = (tools: readonly FieldReader[]): Tool[] => tools.flatMap(parseTool);

function parseTool(tool: FieldReader): Tool[] {
  const value = tool.object;
  switch (tool.requiredString("type")) {
    case "function":
      return [parseFunction(tool)];
    case "custom":
      return [parseCustom(tool)];
    case "namespace":
      return parseNamespace(tool);
    default:
      return [{ type: "server", kind: kindOf(value), protocol: "openai-responses", value }];
  }
}

function parseNamespace(tool: FieldReader): Tool[] {
  const namespace = tool.requiredString("name");
  return (tool.objects("tools") ?? []).map((member) => {
    if (member.object["type"] === "custom") return parseCustom(member);
    return { ...parseFunction(member), namespace };
  });
}

function parseFunction(tool: FieldReader): FunctionTool {
  const description = tool.string("description");
  const parameters = tool.objectAt("parameters");
  const strict = tool.boolean("strict");
  return {
    type: "function",
    name: tool.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
  };
}

function parseCustom(tool: FieldReader): CustomTool {
  const description = tool.string("description");
  const format = tool.objectAt("format");
  return {
    type: "custom",
    name: tool.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(format !== undefined && { format }),
  };
}

function kindOf(tool: JsonObject): ServerTool["kind"] {
  const type = asString(tool["type"]) ?? "";
  // `web_search`, `web_search_preview` and both with a date.
  if (type.startsWith("web_search")) return "web-search";
  return type === "code_interpreter" ? "code-execution" : "other";
}

/**
 * Reads `tool_choice`. `rest` is the choice itself where the vocabulary cannot say all of it: a list
 * of allowed tools, or a tool that the provider runs.
 */
export function parseToolChoice(value: unknown): { choice?: ToolChoice; rest?: JsonObject } {
  if (value === "auto" || value === "none" || value === "required")
    return { choice: { type: value } };
  if (!isObject(value)) {
    throw invalidRequest(
      "tool_choice",
      '`tool_choice` must be "auto", "none", "required" or an object that names a tool.',
    );
  }
  switch (value["type"]) {
    case "function":
    case "custom":
      return { choice: namedTool(value) };
    case "allowed_tools":
      return allowedTools(value);
    default:
      return { rest: value };
  }
}

function namedTool(value: JsonObject): ToolChoice {
  const name = new FieldReader(value, "tool_choice").requiredString("name");
  const namespace = asString(value["namespace"]);
  return { type: "tool", name, ...(namespace !== undefined && { namespace }) };
}

function allowedTools(value: JsonObject): { choice: ToolChoice; rest: JsonObject } {
  const required = value["mode"] === "required";
  const tools = asObjects(value["tools"]);
  const only = tools.length === 1 ? asString(asObject(tools[0])["name"]) : undefined;
  // One allowed tool that must be called is that tool.
  if (required && only !== undefined) return { choice: { type: "tool", name: only }, rest: value };
  return { choice: { type: required ? "required" : "auto" }, rest: value };
}
