import { invalidRequest } from "#canonical/failure.ts";
import type { FieldReader } from "#canonical/field-reader.ts";
import { customToolAsFunction, isCustomTool } from "#canonical/custom-tool.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";
import { asArray, asObjects, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget } from "#protocols/codec.ts";

import { parseCache } from "./parse-parts.ts";
import { renderCache } from "./render-parts.ts";

/** Marks `web_search_options`, which is a tool in all but its place in the body. */
export const WEB_SEARCH_OPTIONS = "web_search_options";

/** The tools of a request: `tools`, the older `functions`, and `web_search_options`. */
export function parseTools(body: FieldReader): readonly Tool[] | undefined {
  const tools = body.objects("tools")?.map(parseTool);
  const functions = body.objects("functions")?.map(parseFunction);
  const search = body.objectAt(WEB_SEARCH_OPTIONS);
  const searchTool = search === undefined ? undefined : [webSearchTool(search)];
  if (tools === undefined && functions === undefined && searchTool === undefined) return undefined;
  const all = [...(tools ?? []), ...(functions ?? []), ...(searchTool ?? [])];
  const allowed = allowedNames(body.object["tool_choice"]);
  return allowed === undefined
    ? all
    : all.filter((tool) => tool.type === "server" || allowed.has(tool.name));
}

const webSearchTool = (options: JsonObject): ServerTool => ({
  type: "server",
  kind: "web-search",
  protocol: "openai-chat",
  value: { ...options, type: WEB_SEARCH_OPTIONS },
});

function parseTool(tool: FieldReader): Tool {
  const type = tool.string("type") ?? "function";
  if (type === "function") {
    const definition = tool.nested("function");
    if (definition === undefined) {
      const field = tool.field("function");
      throw invalidRequest(field, `${field} is missing: it must describe the function`);
    }
    return { ...parseFunction(definition), ...parseCache(tool.object) };
  }
  const custom = type === "custom" ? tool.nested("custom") : undefined;
  if (custom !== undefined) return parseCustom(custom);
  return { type: "server", kind: serverKind(type), protocol: "openai-chat", value: tool.object };
}

function parseFunction(definition: FieldReader): FunctionTool {
  const description = definition.string("description");
  const parameters = definition.objectAt("parameters");
  const strict = definition.boolean("strict");
  return {
    type: "function",
    name: definition.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
  };
}

function parseCustom(custom: FieldReader): Tool {
  const description = custom.string("description");
  const format = custom.objectAt("format");
  return {
    type: "custom",
    name: custom.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(format !== undefined && { format }),
  };
}

/** `openrouter:web_search`, `web_search_preview`, `code_interpreter`, `visit_website`… */
function serverKind(type: string): ServerTool["kind"] {
  if (/web_search/.test(type)) return "web-search";
  if (/code_(interpreter|execution)/.test(type)) return "code-execution";
  return /web_fetch|visit_website|url_context/.test(type) ? "web-fetch" : "other";
}

/** `tool_choice` in all its forms, or the older `function_call`. */
export function parseToolChoice(body: JsonObject): ToolChoice | undefined {
  const key = body["tool_choice"] === undefined ? "function_call" : "tool_choice";
  const choice = body[key];
  if (choice === undefined || choice === null) return undefined;
  if (typeof choice === "string") return namedChoice(choice, key);
  if (!isObject(choice)) throw invalidRequest(key, `${key} must be a string or an object`);
  const name = chosenName(choice);
  if (name !== undefined) return { type: "tool", name };
  const allowed = isObject(choice["allowed_tools"]) ? choice["allowed_tools"] : choice;
  return namedChoice(asString(allowed["mode"]) ?? asString(choice["type"]) ?? "", key);
}

function namedChoice(choice: string, key: string): ToolChoice {
  switch (choice) {
    case "auto":
    case "none":
    case "required":
      return { type: choice };
    // Mistral's word.
    case "any":
      return { type: "required" };
    default:
      throw invalidRequest(key, `${key} "${choice}" is unknown: use auto, none or required`);
  }
}

/** `{type:"function",function:{name}}`, `{type:"custom",custom:{name}}`, `{type:"tool",name}`, `{name}`. */
function chosenName(choice: JsonObject): string | undefined {
  const inner = choice["function"] ?? choice["custom"];
  return asString(isObject(inner) ? inner["name"] : choice["name"]);
}

/** Names that `tool_choice: {type:"allowed_tools"}` leaves; the others are as good as not sent. */
function allowedNames(choice: unknown): ReadonlySet<string> | undefined {
  if (!isObject(choice) || choice["type"] !== "allowed_tools") return undefined;
  const allowed = isObject(choice["allowed_tools"]) ? choice["allowed_tools"] : choice;
  if (asArray(allowed["tools"]).length === 0) return undefined;
  return new Set(asObjects(allowed["tools"]).flatMap((tool) => chosenName(tool) ?? []));
}

/** The `tools` member and `web_search_options`. */
export function renderTools(tools: readonly Tool[], target: RenderTarget): JsonObject {
  const rendered = tools.flatMap((tool, at): JsonObject[] => {
    const one = renderTool(tool, `tools[${at}]`, target);
    return one === undefined ? [] : [one];
  });
  const search = tools.find((tool) => isWebSearchOptions(tool));
  return compact({
    tools: rendered.length === 0 ? undefined : rendered,
    [WEB_SEARCH_OPTIONS]:
      search?.type === "server" ? compact({ ...search.value, type: undefined }) : undefined,
  });
}

const isWebSearchOptions = (tool: Tool): boolean =>
  tool.type === "server" && tool.value["type"] === WEB_SEARCH_OPTIONS;

function renderTool(tool: Tool, field: string, target: RenderTarget): JsonObject | undefined {
  switch (tool.type) {
    case "function":
      return renderFunction(tool, target);
    case "custom":
      if (target.dialect.customTools !== true) {
        target.reportLoss(field, "changed: a custom tool is sent as a function");
        return renderFunction(customToolAsFunction(tool), target);
      }
      return { type: "custom", custom: compact({ ...tool, type: undefined }) };
    case "server":
      if (isWebSearchOptions(tool)) return undefined;
      if (tool.protocol === "openai-chat") return tool.value;
      target.reportLoss(field, `only ${tool.protocol} has it`);
      return undefined;
  }
}

function renderFunction(tool: FunctionTool, target: RenderTarget): JsonObject {
  const { description, parameters, strict } = tool;
  return {
    type: "function",
    function: compact({ name: flatToolName(tool), description, parameters, strict }),
    ...renderCache(tool.cache, target),
  };
}

export function renderToolChoice(
  choice: ToolChoice,
  tools: readonly Tool[],
  target: RenderTarget,
): unknown {
  if (choice.type !== "tool") return choice.type;
  const name = flatToolName(choice);
  if (target.dialect.customTools === true && isCustomTool(tools, choice.name)) {
    return { type: "custom", custom: { name } };
  }
  return { type: "function", function: { name } };
}
