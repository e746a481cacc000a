import { customToolAsFunction } from "#canonical/custom-tool.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { CustomTool, FunctionTool, ServerTool, Tool } from "#canonical/tool.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";

const OWN_TOOLS: Readonly<Partial<Record<ServerTool["kind"], JsonObject>>> = {
  "web-search": { googleSearch: {} },
  "web-fetch": { urlContext: {} },
  "code-execution": { codeExecution: {} },
};

interface ToolTarget {
  /** The model takes functions and the provider's own tools in one request. */
  readonly mixesTools: boolean;
  readonly reportLoss: ReportLoss;
}

const isServer = (tool: Tool): tool is ServerTool => tool.type === "server";

export function renderTools(request: ChatRequest, target: ToolTarget): JsonObject[] | undefined {
  const { tools, protocol } = request;
  if (tools === undefined) return undefined;
  const functions = tools.flatMap((tool, at) =>
    isServer(tool) ? [] : [renderFunction(tool, `tools[${at}]`, target.reportLoss)],
  );
  const alone = functions.length === 0 || target.mixesTools || protocol === "gemini";
  const servers = tools.flatMap<JsonObject>((tool, at) => {
    if (!isServer(tool)) return [];
    if (alone) return renderServerTool(tool, `tools[${at}]`, target.reportLoss) ?? [];
    target.reportLoss(`tools[${at}]`, "this model takes functions or its own tools, not both");
    return [];
  });
  const declared = functions.length > 0 ? [{ functionDeclarations: functions }] : [];
  const rendered = [...declared, ...servers];
  return rendered.length > 0 ? rendered : undefined;
}

function renderFunction(
  tool: FunctionTool | CustomTool,
  field: string,
  reportLoss: ReportLoss,
): JsonObject {
  if (tool.type === "custom") {
    reportLoss(field, "changed: a free-text tool is sent as a function with `input`");
    return declaration(customToolAsFunction(tool));
  }
  if (tool.strict === true) {
    reportLoss(`${field}.strict`, "arguments are not checked by the provider");
  }
  return declaration(tool);
}

const declaration = (tool: FunctionTool): JsonObject =>
  compact({
    name: flatToolName(tool),
    description: tool.description,
    parametersJsonSchema: tool.parameters,
  });

function renderServerTool(
  tool: ServerTool,
  field: string,
  reportLoss: ReportLoss,
): JsonObject | undefined {
  if (tool.protocol === "gemini") return tool.value;
  const own = OWN_TOOLS[tool.kind];
  const reason =
    own === undefined
      ? "a tool that only its own provider runs"
      : "changed: replaced by Google's own tool of this kind; its options are dropped";
  reportLoss(field, reason);
  return own;
}

/** `undefined` where nothing is asked for, or nothing can be called. */
export function renderToolConfig(request: ChatRequest): JsonObject | undefined {
  const { toolChoice, tools = [], protocol } = request;
  if (toolChoice === undefined) return undefined;
  const callable = tools.some((tool) => !isServer(tool));
  if (!callable && protocol !== "gemini") return undefined;
  const modes = { auto: "AUTO", none: "NONE", required: "ANY", tool: "ANY" } as const;
  return {
    functionCallingConfig: compact({
      mode: modes[toolChoice.type],
      allowedFunctionNames: toolChoice.type === "tool" ? [flatToolName(toolChoice)] : undefined,
    }),
  };
}
