import type { MediaSource } from "#canonical/message.ts";

/** Reads a URL that may be a `data:` URL with base64 content. */
export function mediaFromUrl(url: string): MediaSource {
  const match = url.startsWith("data:") ? /^data:([^;,]*)[^,]*;base64,/i.exec(url) : null;
  if (match === null) return { type: "url", url };
  const mediaType = match[1] === "" || match[1] === undefined ? "text/plain" : match[1];
  return { type: "base64", mediaType, data: url.slice(match[0].length) };
}

/** Writes a source as a URL; `undefined` for ids of uploaded files. */
export function urlFromMedia(source: MediaSource): string | undefined {
  if (source.type === "url") return source.url;
  if (source.type === "base64") return `data:${source.mediaType};base64,${source.data}`;
  return undefined;
}
