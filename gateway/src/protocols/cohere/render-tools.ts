import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import { customToolAsFunction } from "#canonical/custom-tool.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { FunctionTool } from "#canonical/tool.ts";
import type { ReportLoss } from "#protocols/codec.ts";

/** `tools`, `tool_choice` and `strict_tools`. */
export function renderToolMembers(request: ChatRequest, reportLoss: ReportLoss): JsonObject {
  const { toolChoice } = request;
  const declared = functionTools(request, reportLoss);
  const wanted = toolChoice?.type === "tool" ? flatToolName(toolChoice) : undefined;
  const only = declared.filter((tool) => flatToolName(tool) === wanted);
  // A tool cannot be named: it is the only one, and one must be called.
  if (wanted !== undefined) reportLoss("tool_choice", "changed: the other tools are not offered");
  const tools = only.length > 0 ? only : declared;
  if (tools.length === 0) return {};
  return compact({
    tools: tools.map(renderFunction),
    tool_choice: renderChoice(toolChoice?.type),
    strict_tools: strictTools(tools, reportLoss),
  });
}

function functionTools(request: ChatRequest, reportLoss: ReportLoss): FunctionTool[] {
  return (request.tools ?? []).flatMap((tool, at) => {
    if (tool.type === "function") return [tool];
    if (tool.type === "custom") {
      reportLoss(`tools[${at}]`, "changed: a free-text tool is sent as a function with `input`");
      return [customToolAsFunction(tool)];
    }
    reportLoss(`tools[${at}]`, "this server tool has no counterpart here");
    return [];
  });
}

function renderFunction(tool: FunctionTool): JsonObject {
  const { description, parameters = { type: "object", properties: {} } } = tool;
  const definition = compact({ name: flatToolName(tool), description, parameters });
  return { type: "function", function: definition };
}

function renderChoice(type: string | undefined): string | undefined {
  if (type === "none") return "NONE";
  return type === "required" || type === "tool" ? "REQUIRED" : undefined;
}

/** Strictness is said once for all tools. */
function strictTools(tools: readonly FunctionTool[], reportLoss: ReportLoss): true | undefined {
  if (tools.every(({ strict }) => strict === true)) return true;
  if (tools.some(({ strict }) => strict === true)) {
    reportLoss("tools.strict", "tools are strict only all together");
  }
  return undefined;
}
