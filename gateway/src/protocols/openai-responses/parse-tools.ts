import { asBoolean, asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { invalidRequest } from "#canonical/failure.ts";
import type { CustomTool, FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";
import { optional, required } from "./optional-field.ts";

/** Reads `tools`; namespaces become flat functions that remember where they come from. */
export function parseTools(tools: readonly unknown[]): Tool[] {
  return tools.flatMap((tool, at) => parseTool(tool, `tools[${at}]`));
}

function parseTool(tool: unknown, field: string): Tool[] {
  if (!isObject(tool)) throw invalidRequest(field, `\`${field}\` must be an object.`);
  switch (required(tool["type"], "string", `${field}.type`)) {
    case "function":
      return [parseFunction(tool, field)];
    case "custom":
      return [parseCustom(tool, field)];
    case "namespace":
      return parseNamespace(tool, field);
    default:
      return [{ type: "server", kind: kindOf(tool), protocol: "openai-responses", value: tool }];
  }
}

function parseNamespace(tool: JsonObject, field: string): Tool[] {
  const namespace = required(tool["name"], "string", `${field}.name`);
  const members = required(tool["tools"], "array", `${field}.tools`);
  return members.map((member, at) => {
    const path = `${field}.tools[${at}]`;
    const object = required(member, "object", path);
    if (object["type"] === "custom") return parseCustom(object, path);
    return { ...parseFunction(object, path), namespace };
  });
}

function parseFunction(tool: JsonObject, field: string): FunctionTool {
  const description = optional(tool["description"], "string", `${field}.description`);
  const parameters = optional(tool["parameters"], "object", `${field}.parameters`);
  const strict = asBoolean(tool["strict"]);
  return {
    type: "function",
    name: required(tool["name"], "string", `${field}.name`),
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
  };
}

function parseCustom(tool: JsonObject, field: string): CustomTool {
  const description = optional(tool["description"], "string", `${field}.description`);
  const format = optional(tool["format"], "object", `${field}.format`);
  return {
    type: "custom",
    name: required(tool["name"], "string", `${field}.name`),
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
  const name = required(value["name"], "string", "tool_choice.name");
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
