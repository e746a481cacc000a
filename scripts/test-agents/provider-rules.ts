import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import {
  asArray,
  asObject,
  asObjects,
  asString,
  isObject,
  type JsonObject,
} from "../../gateway/src/lib/json.ts";
import { offeredTools } from "./offered-tools.ts";

/*
 * What providers answer with 400. A fake one takes everything: without these rules a run would pass
 * with requests that nobody real accepts. Each rule is an error that agents' users have met.
 */

type Rule = (body: JsonObject) => readonly string[];

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** The members that a provider knows; it refuses all others. */
const onlyMembers =
  (known: readonly string[]): Rule =>
  (body) =>
    Object.keys(body)
      .filter((name) => !known.includes(name))
      .map((name) => `unknown member ${name}`);

const toolNames =
  (pattern: RegExp, protocol: UpstreamProtocol): Rule =>
  (body) => {
    const names = offeredTools(protocol, body).map(({ name }) => name);
    const twice = names.filter((name, at) => names.indexOf(name) !== at);
    return [
      ...names.filter((name) => !pattern.test(name)).map((name) => `tool name "${name}"`),
      ...twice.map((name) => `two tools named ${name}`),
    ];
  };

/** A schema has to be of an object, at the least. */
const toolSchemas =
  (protocol: UpstreamProtocol): Rule =>
  (body) =>
    offeredTools(protocol, body)
      .filter(({ schema }) => String(schema["type"]).toLowerCase() !== "object")
      .map(({ name }) => `the schema of ${name} is not of an object`);

const rolesOf =
  (member: string, ...known: readonly string[]): Rule =>
  (body) =>
    asObjects(body[member])
      .map(({ role }) => String(role))
      .filter((role) => !known.includes(role))
      .map((role) => `role ${role}`);

/** Every call is followed by its result, before anything else is said. */
const callsAnswered: Rule = (body) => {
  const faults: string[] = [];
  let open: string[] = [];
  for (const message of asObjects(body["messages"])) {
    const { role, tool_call_id: id } = message;
    if (role === "tool") {
      if (!open.includes(String(id)))
        faults.push(`a result without its call before it: ${String(id)}`);
      open = open.filter((call) => call !== id);
    } else if (open.length > 0) {
      faults.push(`${String(role)} before the result of ${open.join(", ")}`);
    }
    if (role === "assistant")
      open = asObjects(message["tool_calls"]).map((call) => String(call["id"]));
  }
  return faults;
};

/** Blocks with ids: each turn's calls are answered at the start of the next message. */
const blocksAnswered =
  (read: (block: JsonObject) => { readonly call?: string; readonly result?: string }): Rule =>
  (body) => {
    const messages = asObjects(body["messages"]).map(({ content }) => asObjects(content).map(read));
    return messages.flatMap((blocks, at) => {
      const calls = blocks.flatMap(({ call }) => call ?? []);
      const results = new Set((messages[at + 1] ?? []).flatMap(({ result }) => result ?? []));
      return calls.filter((id) => !results.has(id)).map((id) => `no result right after ${id}`);
    });
  };

const alternating: Rule = (body) => {
  const roles = asObjects(body["messages"]).map(({ role }) => role);
  const faults = roles.flatMap((role, at) =>
    role === roles[at - 1] ? [`two ${String(role)} in a row`] : [],
  );
  return roles[0] === "user" ? faults : [...faults, `begins with ${String(roles[0])}`];
};

const noBlankText: Rule = (body) =>
  asObjects(body["messages"])
    .flatMap(({ content }) => asObjects(content))
    .filter(({ text }) => typeof text === "string" && text.trim() === "")
    .map(() => "a blank text");

const responsesItems: Rule = (body) =>
  asObjects(body["input"]).flatMap(({ type, id, call_id: callId }) => {
    const prefix = { function_call: "fc", reasoning: "rs", message: "msg" }[String(type)];
    const given = asString(id) ?? "";
    const foreign = prefix !== undefined && given !== "" && !given.startsWith(prefix);
    const long = typeof callId === "string" && callId.length > 64;
    return [
      ...(foreign ? [`${String(type)} with the id ${given}`] : []),
      ...(long ? ["a call_id over 64"] : []),
    ];
  });

const itemsAnswered: Rule = (body) => {
  const idsOf = (type: string): readonly string[] =>
    asObjects(body["input"])
      .filter((item) => item["type"] === type)
      .map((item) => String(item["call_id"]));
  const [calls, results] = [idsOf("function_call"), idsOf("function_call_output")];
  return [
    ...calls.filter((id) => !results.includes(id)).map((id) => `no output of ${id}`),
    ...results.filter((id) => !calls.includes(id)).map((id) => `an output without its call: ${id}`),
  ];
};

const GEMINI_PART_MEMBERS = words(`
  text thought thoughtSignature functionCall functionResponse inlineData fileData
`);

const geminiParts: Rule = (body) => {
  const contents = asObjects(body["contents"]);
  const count = (content: JsonObject | undefined, member: string): number =>
    asObjects(content?.["parts"]).filter((part) => member in part).length;
  return contents.flatMap((content, at) => {
    const parts = asObjects(content["parts"]);
    const calls = count(content, "functionCall");
    const results = count(contents[at + 1], "functionResponse");
    const signed = parts.find((part) => "functionCall" in part);
    return [
      ...parts.flatMap(onlyMembers(GEMINI_PART_MEMBERS)),
      ...(parts.length === 0 ? ["a content without parts"] : []),
      ...(calls === results ? [] : [`${calls} calls and ${results} results`]),
      ...(signed !== undefined && !("thoughtSignature" in signed) ? ["an unsigned call"] : []),
    ];
  });
};

const geminiDeclarations: Rule = (body) =>
  asObjects(body["tools"])
    .flatMap((tool) => asObjects(tool["functionDeclarations"]))
    .flatMap(onlyMembers(words("name description parameters parametersJsonSchema behavior")));

const bedrockToolConfig: Rule = (body) => {
  const usesTools = asObjects(body["messages"])
    .flatMap(({ content }) => asObjects(content))
    .some((block) => "toolUse" in block || "toolResult" in block);
  const offers = asArray(asObject(body["toolConfig"])["tools"]).length > 0;
  return usesTools && !offers ? ["calls without a toolConfig"] : [];
};

const maxTokens: Rule = (body) => (typeof body["max_tokens"] === "number" ? [] : ["no max_tokens"]);

const toolResultsFirst: Rule = (body) =>
  asObjects(body["messages"]).flatMap(({ content }) => {
    const areResults = asObjects(content).map(({ type }) => type === "tool_result");
    const other = areResults.indexOf(false);
    return other !== -1 && areResults.lastIndexOf(true) > other
      ? ["a tool_result behind other blocks"]
      : [];
  });

const CHAT_MEMBERS = words(`
  model messages tools tool_choice parallel_tool_calls stream stream_options max_tokens
  max_completion_tokens temperature top_p stop n seed logprobs top_logprobs logit_bias
  frequency_penalty presence_penalty response_format reasoning_effort reasoning_format user
  service_tier metadata prompt_cache_key store verbosity include_reasoning
`);

const COHERE_MEMBERS = words(`
  model messages tools tool_choice strict_tools stream max_tokens temperature p k seed
  stop_sequences frequency_penalty presence_penalty response_format thinking safety_mode
  documents citation_options logprobs priority
`);

const GEMINI_MEMBERS = words(`
  contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent
  serviceTier labels
`);

const BEDROCK_MEMBERS = words(`
  messages system inferenceConfig toolConfig additionalModelRequestFields guardrailConfig
  requestMetadata performanceConfig serviceTier outputConfig promptVariables
  additionalModelResponseFieldPaths
`);

const RULES: Readonly<Record<UpstreamProtocol, readonly Rule[]>> = {
  "openai-chat": [
    onlyMembers(CHAT_MEMBERS),
    rolesOf("messages", "system", "user", "assistant", "tool"),
    toolNames(/^[a-zA-Z0-9_-]{1,64}$/, "openai-chat"),
    toolSchemas("openai-chat"),
    callsAnswered,
  ],
  "openai-responses": [
    toolNames(/^[a-zA-Z0-9_-]{1,64}$/, "openai-responses"),
    toolSchemas("openai-responses"),
    responsesItems,
    itemsAnswered,
  ],
  "anthropic-messages": [
    maxTokens,
    toolNames(/^[a-zA-Z0-9_-]{1,128}$/, "anthropic-messages"),
    toolSchemas("anthropic-messages"),
    rolesOf("messages", "user", "assistant", "system"),
    noBlankText,
    toolResultsFirst,
    blocksAnswered(({ type, id, tool_use_id: result }) => ({
      ...(type === "tool_use" && { call: String(id) }),
      ...(type === "tool_result" && { result: String(result) }),
    })),
  ],
  gemini: [
    onlyMembers(GEMINI_MEMBERS),
    rolesOf("contents", "user", "model"),
    toolNames(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/, "gemini"),
    geminiParts,
    geminiDeclarations,
  ],
  "bedrock-converse": [
    onlyMembers(BEDROCK_MEMBERS),
    rolesOf("messages", "user", "assistant"),
    alternating,
    noBlankText,
    toolNames(/^[a-zA-Z0-9_-]{1,64}$/, "bedrock-converse"),
    toolSchemas("bedrock-converse"),
    bedrockToolConfig,
    blocksAnswered((block) => ({
      ...(isObject(block["toolUse"]) && { call: asString(block["toolUse"]["toolUseId"]) ?? "" }),
      ...(isObject(block["toolResult"]) && {
        result: asString(block["toolResult"]["toolUseId"]) ?? "",
      }),
    })),
  ],
  cohere: [
    onlyMembers(COHERE_MEMBERS),
    rolesOf("messages", "system", "user", "assistant", "tool"),
    toolNames(/^[a-zA-Z0-9_-]{1,64}$/, "cohere"),
    toolSchemas("cohere"),
    callsAnswered,
  ],
};

/** Why a provider would refuse a request of that protocol; empty when it would not. */
export const providerFaults = (protocol: UpstreamProtocol, body: JsonObject): readonly string[] =>
  RULES[protocol].flatMap((rule) => rule(body));
