import type { CustomTool, FunctionTool, Tool } from "#canonical/tool.ts";
import { asString, parseObject } from "#lib/json.ts";

/*
 * Protocols without custom tools get a function with one string, `input`. The model's answer is then
 * a function call, which the client's renderer turns back with `customToolInput`.
 */

/** The function that stands for a custom tool; a grammar becomes part of its description. */
export function customToolAsFunction({ name, description, format }: CustomTool): FunctionTool {
  const grammar = format === undefined ? "" : `\n\nFormat of the input: ${JSON.stringify(format)}`;
  const described = `${description ?? ""}${grammar}`.trim();
  return {
    type: "function",
    name,
    ...(described !== "" && { description: described }),
    parameters: {
      type: "object",
      properties: { input: { type: "string", description: "The whole input of the tool" } },
      required: ["input"],
      additionalProperties: false,
    },
  };
}

/** A custom tool's free text as the arguments of its function. */
export const customToolArguments = (input: string): string => JSON.stringify({ input });

/** The free text in a call of the function; arguments of another shape are the text themselves. */
export const customToolInput = (argumentsText: string): string =>
  asString(parseObject(argumentsText)?.["input"]) ?? argumentsText;

/** Whether the client declared this tool as a custom one. */
export const isCustomTool = (tools: readonly Tool[] | undefined, name: string): boolean =>
  tools?.some((tool) => tool.type === "custom" && tool.name === name) ?? false;
