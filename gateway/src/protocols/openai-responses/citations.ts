import { asNumber, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation } from "#canonical/message.ts";

/** An annotation of output text; what is not a `url_citation` is kept as the provider's own object. */
export function parseAnnotation(annotation: JsonObject): Citation {
  const url = asString(annotation["url"]);
  const title = asString(annotation["title"]);
  const start = asNumber(annotation["start_index"]);
  const end = asNumber(annotation["end_index"]);
  return {
    ...(url !== undefined && { url }),
    ...(title !== undefined && { title }),
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    native: { protocol: "openai-responses", value: annotation },
  };
}

/** `undefined` for a citation that has no web address, which is all that an annotation can name. */
export function renderAnnotation(citation: Citation, textLength: number): JsonObject | undefined {
  const { native, url, title, start, end } = citation;
  if (native?.protocol === "openai-responses") return native.value;
  if (url === undefined) return undefined;
  return compact({
    type: "url_citation",
    url,
    title: title ?? url,
    start_index: start ?? textLength,
    end_index: end ?? textLength,
  });
}
