import { asObjects, isObject, type JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";

/** More breakpoints than these are answered with 400 "A maximum of 4 blocks with cache_control". */
const MAX_MARKERS = 4;

/**
 * Keeps the last markers: each covers all that stands before it. Only for requests of other
 * dialects, whose clients cannot know the bound.
 */
export function boundCacheMarkers(body: JsonObject, reportLoss: ReportLoss): JsonObject {
  const surplus = markers(body).length - MAX_MARKERS;
  if (surplus <= 0) return body;
  reportLoss("cache_control", `changed: of the breakpoints only the last ${MAX_MARKERS} are sent`);
  let left = surplus;
  const strip = (block: unknown): unknown => {
    if (!isObject(block)) return block;
    const { cache_control, ...rest } = block;
    if (cache_control === undefined || left === 0) return block;
    left--;
    return rest;
  };
  const list = (value: unknown): unknown => (Array.isArray(value) ? value.map(strip) : value);
  const [tools, system] = [list(body["tools"]), list(body["system"])];
  const messages = asObjects(body["messages"]).map((message) => ({
    ...message,
    content: list(message["content"]),
  }));
  return {
    ...body,
    ...(tools !== undefined && { tools }),
    ...(system !== undefined && { system }),
    messages,
  };
}

/** In the order in which the provider reads them. */
function markers({ tools, system, messages }: JsonObject): readonly JsonObject[] {
  const blocks = [tools, system, ...asObjects(messages).map(({ content }) => content)];
  return blocks.flatMap(asObjects).filter((block) => block["cache_control"] !== undefined);
}
