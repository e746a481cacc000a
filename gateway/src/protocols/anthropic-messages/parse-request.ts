import { withCarriedSignatures } from "#canonical/carried-signature.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, Sampling } from "#canonical/chat-request.ts";
import type { Message } from "#canonical/message.ts";
import type { RequestInput } from "#protocols/codec.ts";
import { parseContent } from "./parse-part.ts";
import { parseOutputConfig, parseReasoning } from "./parse-reasoning.ts";
import { parseTool, parseToolChoice } from "./tools.ts";

/** Top-level members that the vocabulary has a word for. */
const KNOWN = new Set([
  "model",
  "messages",
  "system",
  "stream",
  "max_tokens",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "metadata",
  "service_tier",
]);

/** Reads a Messages request of any API version; `max_tokens` may be absent (token counting). */
export function parseRequest({ body }: RequestInput): ChatRequest {
  const reader = new FieldReader(body);
  const output = parseOutputConfig(reader.nested("output_config"));
  const reasoning = { ...parseReasoning(reader.nested("thinking")), ...output.reasoning };
  const extra = unknownMembers(body, output.rest);
  const tools = reader.objects("tools")?.map(parseTool);
  const stopSequences = reader.strings("stop_sequences");
  const maxOutputTokens = reader.count("max_tokens");
  return {
    protocol: "anthropic-messages",
    model: reader.requiredString("model"),
    messages: [...parseSystem(body["system"]), ...parseMessages(reader)],
    stream: reader.boolean("stream") ?? false,
    ...(tools !== undefined && { tools }),
    ...parseToolChoice(reader.nested("tool_choice")),
    ...(output.format !== undefined && { outputFormat: output.format }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...parseSampling(reader),
    ...(stopSequences !== undefined && { stopSequences }),
    ...(Object.keys(reasoning).length > 0 && { reasoning }),
    ...parseServiceTier(reader),
    ...parseMetadata(reader),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function parseSystem(system: unknown): Message[] {
  if (system === undefined || system === null || system === "") return [];
  const content = parseContent(system, "system");
  return content.length === 0 ? [] : [{ role: "system", content }];
}

function parseMessages(reader: FieldReader): Message[] {
  const messages = reader.objects("messages");
  if (messages === undefined || messages.length === 0) {
    throw invalidRequest("messages", "messages must be an array of at least one message");
  }
  return messages.map((message) => {
    const content = parseContent(message.object["content"], message.field("content"));
    const role = parseRole(message);
    return { role, content: role === "assistant" ? withCarriedSignatures(content) : content };
  });
}

function parseRole(message: FieldReader): "user" | "assistant" | "system" {
  const role = message.requiredString("role");
  if (role === "user" || role === "assistant" || role === "system") return role;
  const field = message.field("role");
  throw invalidRequest(field, `${field} must be user, assistant or system`);
}

function parseSampling(reader: FieldReader): Pick<ChatRequest, "sampling"> {
  const sampling: Sampling = compact({
    temperature: reader.number("temperature"),
    topP: reader.number("top_p"),
    topK: reader.integer("top_k"),
  });
  return Object.keys(sampling).length === 0 ? {} : { sampling };
}

function parseServiceTier(reader: FieldReader): Pick<ChatRequest, "serviceTier"> {
  const tier = reader.string("service_tier");
  if (tier === undefined) return {};
  // The same thing under the name that all others give it.
  return { serviceTier: tier === "standard_only" ? "default" : tier };
}

function parseMetadata(reader: FieldReader): Pick<ChatRequest, "user" | "metadata"> {
  const metadata = reader.nested("metadata");
  if (metadata === undefined) return {};
  const user = metadata.string("user_id");
  const { user_id: _, ...rest } = metadata.object;
  return {
    ...(user !== undefined && { user }),
    ...(Object.keys(rest).length > 0 && { metadata: rest }),
  };
}

function unknownMembers(body: JsonObject, outputConfig: JsonObject): JsonObject {
  const extra: JsonObject = {};
  for (const key in body) if (!KNOWN.has(key) && body[key] !== null) extra[key] = body[key];
  if (Object.keys(outputConfig).length > 0) extra["output_config"] = outputConfig;
  return extra;
}
