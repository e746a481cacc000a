import { asNumber, asObjects, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation } from "#canonical/message.ts";

export const parseCitations = (citations: unknown): Citation[] =>
  asObjects(citations).map(parseCitation);

/** Reads one citation of any kind; the whole object stays beside what others understand of it. */
export function parseCitation(value: JsonObject): Citation {
  const url = asString(value["url"]) ?? asString(value["source"]);
  const title = asString(value["title"]) ?? asString(value["document_title"]);
  const citedText = asString(value["cited_text"]);
  return {
    ...(url !== undefined && { url }),
    ...(title !== undefined && { title }),
    ...(citedText !== undefined && { citedText }),
    native: { protocol: "anthropic-messages", value },
  };
}

/**
 * Writes a citation for a client: its own object, or that of a web search result, the one kind that
 * has a URL. `undefined` where there is nothing to point at.
 */
export function renderCitation(citation: Citation): JsonObject | undefined {
  if (citation.native?.protocol === "anthropic-messages") return citation.native.value;
  if (citation.url === undefined) return undefined;
  return compact({
    type: "web_search_result_location",
    url: citation.url,
    title: citation.title ?? null,
    cited_text: citation.citedText ?? "",
    encrypted_index: "",
  });
}

/** Those that may go back to the provider: its own. */
export const replayableCitations = (citations: readonly Citation[] = []): JsonObject[] =>
  citations.flatMap(({ native }) =>
    native?.protocol === "anthropic-messages" ? [replayed(native.value)] : [],
  );

/** Answers carry `file_id` on citations; requests refuse it when it is null. */
function replayed(value: JsonObject): JsonObject {
  if (!("file_id" in value) || asNumber(value["file_id"]) !== undefined) return value;
  const { file_id: fileId, ...rest } = value;
  return fileId === null ? rest : value;
}
