import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Part } from "#canonical/message.ts";
import type { Tool } from "#canonical/tool.ts";
import type { Capability } from "#governance/access.ts";
import { asObjects, type JsonObject } from "#lib/json.ts";

/**
 * What a request would use of what a policy can ban, in whatever dialect it is said. Members that only
 * one provider knows count too: in the native lane they reach it as they are.
 */
export function capabilitiesUsed(request: ChatRequest): ReadonlySet<Capability> {
  const used = new Set<Capability>();
  for (const name of (request.tools ?? []).flatMap(ofTool)) used.add(name);
  for (const { content } of request.messages) for (const part of content) addPart(part, used);
  for (const modality of request.outputModalities ?? []) {
    for (const name of OF_MODALITY.get(modality.toLowerCase()) ?? []) used.add(name);
  }
  for (const [member, value] of Object.entries(request.extra ?? {})) {
    for (const name of ofMember(member, value)) used.add(name);
  }
  return used;
}

const OF_MODALITY: ReadonlyMap<string, readonly Capability[]> = new Map([
  ["image", ["images"]],
  ["audio", ["audio"]],
  ["file", ["files"]],
]);

/** The web is the web, whether it is searched or fetched. */
const OF_KIND: Readonly<Record<string, readonly Capability[]>> = {
  "web-search": ["web-search"],
  "web-fetch": ["web-search"],
  "code-execution": ["code-execution"],
  other: [],
};

/** Provider's tools without a kind of their own, by what their type says. */
const OF_TYPE: readonly (readonly [type: RegExp, capability: Capability])[] = [
  [/search|browser|url_?context|maps/i, "web-search"],
  [/code|shell|bash/i, "code-execution"],
  [/image/i, "images"],
  [/file/i, "files"],
];

function ofTool(tool: Tool): readonly Capability[] {
  if (tool.type !== "server") return ["tools"];
  // Gemini names its tools by their member, the others by `type`.
  const { type } = tool.value;
  const name = typeof type === "string" ? type : Object.keys(tool.value).join(" ");
  const byType = OF_TYPE.flatMap(([pattern, capability]) => (pattern.test(name) ? capability : []));
  return ["tools", "server-tools", ...(OF_KIND[tool.kind] ?? []), ...byType];
}

function addPart(part: Part, used: Set<Capability>): void {
  for (const name of OF_MODALITY.get(part.type) ?? []) used.add(name);
  if (part.type === "tool-result") for (const inner of part.content) addPart(inner, used);
}

/** Members of bodies that turn something on without a tool. */
const OF_MEMBER: ReadonlyMap<string, readonly Capability[]> = new Map([
  ["web_search_options", ["web-search"]],
  ["web_search", ["web-search"]],
  ["enable_search", ["web-search"]],
  ["search_options", ["web-search"]],
  ["search_parameters", ["web-search"]],
  ["connectors", ["web-search", "server-tools"]],
  ["mcp_servers", ["server-tools", "tools"]],
  ["compound_custom", ["web-search", "code-execution", "server-tools"]],
  ["container", ["code-execution"]],
  ["functions", ["tools"]],
  ["audio", ["audio"]],
  // Kept at the provider, with whatever tools were put into it there.
  ["prompt", ["tools", "server-tools"]],
  ["cachedContent", ["tools", "server-tools"]],
  ["conversation", ["store"]],
]);

function ofMember(member: string, value: unknown): readonly Capability[] {
  if (value === false || value === null) return [];
  if (member === "store") return ["store"];
  if (member === "plugins") return asObjects(value).flatMap(ofPlugin);
  return OF_MEMBER.get(member) ?? [];
}

/** What a request for vectors or a judgement would use: pictures come as objects beside texts. */
export function inputCapabilities(body: JsonObject): ReadonlySet<Capability> {
  const parts = [body["input"], body["inputs"], body["documents"]].flatMap(asObjects);
  const hasImage =
    body["images"] !== undefined || parts.some((part) => JSON.stringify(part).includes('"image'));
  return new Set<Capability>(hasImage ? ["images"] : []);
}

/** OpenRouter's. */
const ofPlugin = ({ id }: JsonObject): readonly Capability[] =>
  id === "web" ? ["web-search"] : id === "file-parser" ? ["files"] : ["server-tools"];
