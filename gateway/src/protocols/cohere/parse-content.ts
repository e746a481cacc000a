import { asArray, asNumber, asObject, asObjects, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation, Part } from "#canonical/message.ts";

/** A block of an answer's `content`: text or thinking. */
export function parseContentBlock(block: JsonObject): Part {
  const thinking = asString(block["thinking"]);
  if (thinking !== undefined) return { type: "reasoning", text: thinking };
  const text = asString(block["text"]);
  if (text !== undefined) return { type: "text", text };
  return { type: "native", protocol: "cohere", value: block };
}

/** A citation with the address and title of the first of its sources that has any. */
export function parseCitation(citation: JsonObject): Citation {
  const sources = asObjects(citation["sources"]).map((source) => ({
    ...asObject(source["document"]),
    ...asObject(source["tool_output"]),
  }));
  const named = sources.find((source) => asString(source["url"]) !== undefined) ?? sources[0] ?? {};
  const url = asString(named["url"]);
  const title = asString(named["title"]);
  const start = asNumber(citation["start"]);
  const end = asNumber(citation["end"]);
  return {
    ...(url !== undefined && { url }),
    ...(title !== undefined && { title }),
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    native: { protocol: "cohere", value: citation },
  };
}

/** Log probabilities in OpenAI's form; Cohere gives no alternatives. */
export const parseLogprobs = (logprobs: unknown): JsonObject[] =>
  asObjects(logprobs).flatMap((entry) => {
    const token = asString(entry["text"]);
    const logprob = asNumber(asArray(entry["logprobs"])[0]);
    if (token === undefined || logprob === undefined) return [];
    return [{ token, logprob, bytes: [...Buffer.from(token)], top_logprobs: [] }];
  });
