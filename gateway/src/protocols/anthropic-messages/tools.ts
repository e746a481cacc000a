import { customToolAsFunction } from "#canonical/custom-tool.ts";
import type { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { FunctionTool, ServerTool, Tool, ToolChoice } from "#canonical/tool.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import { parseCache } from "./parse-part.ts";
import { renderCache } from "./render-part.ts";

const SERVER_KINDS: readonly (readonly [prefix: string, kind: ServerTool["kind"]])[] = [
  ["web_search_", "web-search"],
  ["web_fetch_", "web-fetch"],
  ["code_execution_", "code-execution"],
];

export function parseTool(tool: FieldReader): Tool {
  const type = tool.string("type") ?? "custom";
  if (type !== "custom") {
    const kind = SERVER_KINDS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? "other";
    return { type: "server", kind, protocol: "anthropic-messages", value: tool.object };
  }
  const description = tool.string("description");
  const parameters = tool.objectAt("input_schema");
  const strict = tool.boolean("strict");
  return {
    type: "function",
    name: tool.requiredString("name"),
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
    ...parseCache(tool.object),
  };
}

type ChoiceMembers = Pick<ChatRequest, "toolChoice" | "parallelToolCalls">;

export function parseToolChoice(choice: FieldReader | undefined): ChoiceMembers {
  if (choice === undefined) return {};
  const disabled = choice.boolean("disable_parallel_tool_use");
  return {
    toolChoice: namedChoice(choice),
    ...(disabled !== undefined && { parallelToolCalls: !disabled }),
  };
}

function namedChoice(choice: FieldReader): ToolChoice {
  const type = choice.requiredString("type");
  switch (type) {
    case "auto":
    case "none":
      return { type };
    case "any":
      return { type: "required" };
    case "tool":
      return { type: "tool", name: choice.requiredString("name") };
    default: {
      const field = choice.field("type");
      throw invalidRequest(field, `${field} must be one of auto, any, tool, none`);
    }
  }
}

/** Names under which the provider's own tools of each kind are asked for when another's was meant. */
const SERVER_TOOLS: Readonly<Partial<Record<ServerTool["kind"], JsonObject>>> = {
  "web-search": { type: "web_search_20250305", name: "web_search" },
};

export function renderTools(tools: readonly Tool[], reportLoss: ReportLoss): JsonObject[] {
  return tools.flatMap((tool, at) => {
    const rendered = renderTool(tool, reportLoss, at);
    return rendered === undefined ? [] : [rendered];
  });
}

function renderTool(tool: Tool, reportLoss: ReportLoss, at: number): JsonObject | undefined {
  if (tool.type === "server") return renderServerTool(tool, reportLoss, at);
  if (tool.type === "custom") {
    reportLoss(`tools[${at}]`, "changed: a free-text tool is sent as a function with `input`");
    return renderFunction(customToolAsFunction(tool));
  }
  return renderFunction(tool);
}

const renderFunction = (tool: FunctionTool): JsonObject =>
  compact({
    name: flatToolName(tool),
    description: tool.description,
    input_schema: objectSchema(tool.parameters),
    strict: tool.strict,
    cache_control: renderCache(tool.cache),
  });

/** The protocol requires a schema of `type: "object"`; other dialects leave either out. */
function objectSchema(parameters: JsonObject | undefined): JsonObject {
  if (parameters === undefined) return { type: "object", properties: {} };
  return parameters["type"] === undefined ? { type: "object", ...parameters } : parameters;
}

function renderServerTool(
  tool: ServerTool,
  reportLoss: ReportLoss,
  at: number,
): JsonObject | undefined {
  if (tool.protocol === "anthropic-messages") return tool.value;
  const own = SERVER_TOOLS[tool.kind];
  const reason =
    own === undefined
      ? "a tool that only its own provider runs"
      : "changed: replaced by Anthropic's own tool of this kind; its options are dropped";
  reportLoss(`tools[${at}]`, reason);
  return own;
}

/** `undefined` where nothing is asked for. */
export function renderToolChoice(request: ChatRequest): JsonObject | undefined {
  const { toolChoice, parallelToolCalls } = request;
  if (toolChoice === undefined && parallelToolCalls === undefined) return undefined;
  const choice = toolChoice ?? { type: "auto" };
  if (choice.type === "none") return { type: "none" };
  return compact({
    type: choice.type === "required" ? "any" : choice.type,
    name: choice.type === "tool" ? flatToolName(choice) : undefined,
    disable_parallel_tool_use: parallelToolCalls === undefined ? undefined : !parallelToolCalls,
  });
}
