import type { Citation } from "#canonical/message.ts";
import { asArray, asNumber, asObjects, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { camelObject } from "./wire-case.ts";

/** The sources that a candidate names: of its search results, and of texts that it repeats. */
export function parseCitations(candidate: JsonObject): Citation[] {
  const metadata = camelObject(candidate["citationMetadata"]);
  const repeated = [...asObjects(metadata["citationSources"]), ...asObjects(metadata["citations"])];
  return [
    ...groundings(camelObject(candidate["groundingMetadata"])),
    ...repeated.map((source) => citation(source, source)),
  ];
}

function groundings(metadata: JsonObject): Citation[] {
  const chunks = asObjects(metadata["groundingChunks"]).map((chunk) => source(chunk));
  const supports = asObjects(metadata["groundingSupports"]);
  if (supports.length === 0) return chunks.map((chunk) => citation(chunk, {}));
  return supports.flatMap((support) => {
    const indices = asArray(camelObject(support)["groundingChunkIndices"]);
    return indices.flatMap((index) => {
      const chunk = typeof index === "number" ? chunks[index] : undefined;
      return chunk === undefined ? [] : [citation(chunk, camelObject(support["segment"]))];
    });
  });
}

const source = (chunk: JsonObject): JsonObject =>
  camelObject(chunk["web"] ?? chunk["retrievedContext"] ?? chunk["maps"]);

function citation(source: JsonObject, segment: JsonObject): Citation {
  return compact({
    url: asString(source["uri"]),
    title: asString(source["title"]),
    citedText: asString(segment["text"]),
    start: asNumber(segment["startIndex"]),
    end: asNumber(segment["endIndex"]),
  });
}

/** Citations with an address as `groundingMetadata`; `undefined` where there are none. */
export function renderGrounding(citations: readonly Citation[]): JsonObject | undefined {
  const known = citations.filter(({ url }) => url !== undefined);
  if (known.length === 0) return undefined;
  return {
    groundingChunks: known.map(({ url, title }) => ({ web: compact({ uri: url, title }) })),
    groundingSupports: known.map(({ citedText, start, end }, at) => ({
      segment: compact({ startIndex: start, endIndex: end, text: citedText }),
      groundingChunkIndices: [at],
    })),
  };
}
