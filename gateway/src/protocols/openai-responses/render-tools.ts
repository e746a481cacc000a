import { asArray, asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";
import type { ReportLoss } from "#protocols/codec.ts";

/** The tools as a provider of this protocol takes them: namespaces flat, foreign server tools translated. */
export function renderTools(request: ChatRequest, reportLoss: ReportLoss): JsonObject[] {
  const native = request.protocol === "openai-responses";
  return (request.tools ?? []).flatMap((tool, at): JsonObject[] => {
    if (tool.type === "custom") return [renderCustom(tool)];
    if (tool.type === "server") return renderServerTool(tool, `tools[${at}]`, reportLoss);
    const rendered = renderFunction(tool, flatToolName(tool));
    return [native ? rendered : { ...FUNCTION_DEFAULTS, ...rendered }];
  });
}

/**
 * Members that this API reads differently when they are absent: without `strict` it enforces the
 * schema, which no other dialect does; `parameters` it requires.
 */
const FUNCTION_DEFAULTS = { parameters: { type: "object", properties: {} }, strict: false };

function renderFunction(tool: FunctionTool, name: string): JsonObject {
  const { description, parameters, strict } = tool;
  return compact({ type: "function", name, description, parameters, strict });
}

const renderCustom = (tool: Extract<Tool, { type: "custom" }>): JsonObject =>
  compact({
    type: "custom",
    name: tool.name,
    description: tool.description,
    format: tool.format,
  });

function renderServerTool(tool: ServerTool, field: string, reportLoss: ReportLoss): JsonObject[] {
  if (tool.protocol === "openai-responses") return [tool.value];
  if (tool.kind === "web-search") return [renderWebSearch(tool.value, field, reportLoss)];
  if (tool.kind === "code-execution") {
    return [{ type: "code_interpreter", container: { type: "auto" } }];
  }
  reportLoss(field, "this server tool has no counterpart here");
  return [];
}

function renderWebSearch(value: JsonObject, field: string, reportLoss: ReportLoss): JsonObject {
  const { allowed_domains, user_location } = value;
  for (const name of ["max_uses", "blocked_domains"]) {
    if (value[name] !== undefined)
      reportLoss(`${field}.${name}`, "web search has no such limit here");
  }
  const domains = asArray(allowed_domains);
  const location = asObject(user_location);
  return compact({
    type: "web_search",
    filters: domains.length > 0 ? { allowed_domains: domains } : undefined,
    user_location: location["type"] === "approximate" ? location : undefined,
  });
}

/** The tools as the client declared them: what the answer's `tools` echoes. */
export function echoTools(tools: readonly Tool[]): JsonObject[] {
  const echoed: JsonObject[] = [];
  const namespaces = new Map<string, JsonObject[]>();
  for (const tool of tools) {
    if (tool.type === "server") echoed.push(tool.value);
    else if (tool.type === "custom") echoed.push(renderCustom(tool));
    else if (tool.namespace === undefined) echoed.push(echoFunction(tool));
    else {
      const members = namespaces.get(tool.namespace) ?? [];
      members.push(echoFunction(tool));
      if (!namespaces.has(tool.namespace)) {
        echoed.push({ type: "namespace", name: tool.namespace, tools: members });
      }
      namespaces.set(tool.namespace, members);
    }
  }
  return echoed;
}

/** Clients' types require both members. */
const echoFunction = (tool: FunctionTool): JsonObject => ({
  parameters: null,
  strict: null,
  ...renderFunction(tool, tool.name),
});

/** A named tool is called by the flat name where namespaces are not understood. */
export function renderToolChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (choice.type !== "tool") return choice.type;
  const name = flatToolName(choice);
  const custom = tools.some((tool) => tool.type === "custom" && tool.name === choice.name);
  return { type: custom ? "custom" : "function", name };
}
