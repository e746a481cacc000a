import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import { customToolAsFunction } from "#canonical/custom-tool.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { FunctionTool, Tool, ToolChoice } from "#canonical/tool.ts";
import { renderCachePoint } from "./render-block.ts";
import type { BlockContext } from "./render-media.ts";

/** `toolConfig`, or `undefined` where no tool is declared, used or wanted. */
export function renderToolConfig(
  request: ChatRequest,
  context: BlockContext,
): JsonObject | undefined {
  const { toolChoice, parallelToolCalls } = request;
  const used = usedNames(request);
  if (parallelToolCalls === false) {
    context.reportLoss("parallel_tool_calls", "parallel calls cannot be switched off");
  }
  if (toolChoice?.type === "none") {
    // There is no such choice. Without the tools it is kept, unless the conversation names them.
    if (used.size === 0) return undefined;
    context.reportLoss(
      "tool_choice",
      "the tools of earlier calls must be declared, so may be called",
    );
  }
  const declared = (request.tools ?? []).flatMap((tool, at) =>
    renderTool(tool, `tools[${at}]`, context),
  );
  const tools = declared.length > 0 ? declared : [...used].map(undeclaredTool);
  if (tools.length === 0) return undefined;
  return compact({ tools, toolChoice: renderChoice(toolChoice) });
}

/** Bedrock refuses a conversation with calls where no tool is declared. */
const undeclaredTool = (name: string): JsonObject => ({
  toolSpec: { name, inputSchema: { json: { type: "object" } } },
});

const usedNames = ({ messages }: ChatRequest): ReadonlySet<string> =>
  new Set(
    messages
      .flatMap(({ content }) => content)
      .flatMap((part) => (part.type === "tool-call" ? [flatToolName(part)] : [])),
  );

function renderTool(tool: Tool, field: string, context: BlockContext): JsonObject[] {
  if (tool.type === "server") {
    if (tool.protocol === "bedrock-converse") return [tool.value];
    context.reportLoss(field, "this server tool has no counterpart here");
    return [];
  }
  if (tool.type === "custom") {
    context.reportLoss(field, "changed: a free-text tool is sent as a function with `input`");
    return [renderFunction(customToolAsFunction(tool))];
  }
  const cache = tool.cache === undefined ? [] : renderCachePoint(tool.cache, context);
  return [renderFunction(tool), ...cache];
}

function renderFunction(tool: FunctionTool): JsonObject {
  const { description, parameters = {}, strict } = tool;
  return {
    toolSpec: compact({
      name: flatToolName(tool),
      // An empty description is refused.
      description: description === "" ? undefined : description,
      inputSchema: { json: { type: "object", ...parameters } },
      strict: strict === true ? true : undefined,
    }),
  };
}

function renderChoice(choice: ToolChoice | undefined): JsonObject | undefined {
  if (choice?.type === "auto") return { auto: {} };
  if (choice?.type === "required") return { any: {} };
  return choice?.type === "tool" ? { tool: { name: flatToolName(choice) } } : undefined;
}
