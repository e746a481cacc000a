import { asObject, asObjects, type JsonObject } from "#lib/json.ts";
import type { Dialect } from "#protocols/codec.ts";

type Patch = Record<string, string | undefined>;

/**
 * What must change at the top of a client's chat body before this provider takes it: the name of
 * the output bound, and the question for usage. `undefined` where more than that differs, so that
 * the body has to be rendered anew.
 */
export function chatForwardPatch(body: JsonObject, dialect: Dialect): Patch | undefined {
  if (!fits(body, dialect)) return undefined;
  return { ...outputBound(body, dialect), ...usageQuestion(body, dialect) };
}

function outputBound(body: JsonObject, dialect: Dialect): Patch {
  const wanted = dialect.maxTokensField ?? "max_tokens";
  const other = wanted === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  const bound = body[other];
  if (bound === undefined || body[wanted] !== undefined) return {};
  return { [wanted]: JSON.stringify(bound), [other]: undefined };
}

/** Usage is always asked for; whether the client sees it is another matter. */
function usageQuestion(body: JsonObject, dialect: Dialect): Patch {
  if (body["stream"] !== true || dialect.streamOptions === false) return {};
  const options = asObject(body["stream_options"]);
  if (options["include_usage"] === true) return {};
  return { stream_options: JSON.stringify({ ...options, include_usage: true }) };
}

function fits(body: JsonObject, dialect: Dialect): boolean {
  if (dialect.refuses?.some((name) => body[name] !== undefined) === true) return false;
  if (!reasoningFits(body, dialect)) return false;
  if (dialect.customTools !== true && hasCustomTool(body)) return false;
  const format = asObject(body["response_format"])["type"];
  if (dialect.structuredOutput !== undefined && format === "json_schema") return false;
  if (dialect.structuredOutput === "none" && format === "json_object") return false;
  return asObjects(body["messages"]).every((message) => messageFits(message, dialect));
}

const reasoningFits = (
  body: JsonObject,
  { reasoningRequest = "reasoning_effort" }: Dialect,
): boolean =>
  (body["reasoning_effort"] === undefined || reasoningRequest === "reasoning_effort") &&
  (body["reasoning"] === undefined || reasoningRequest === "reasoning");

const hasCustomTool = (body: JsonObject): boolean =>
  asObjects(body["tools"]).some((tool) => tool["type"] === "custom");

const messageFits = (message: JsonObject, { developerRole, reasoningReplay }: Dialect): boolean =>
  (message["role"] !== "developer" || developerRole === true) &&
  (message["reasoning_details"] === undefined || reasoningReplay === "reasoning_details") &&
  (message["reasoning_content"] === undefined || reasoningReplay === "reasoning_content");
