import { ownValue } from "#lib/json.ts";
import type { MediaSource, Part } from "#canonical/message.ts";

/** The part for content of this media type. */
export function mediaPart(
  source: MediaSource,
  mediaType: string | undefined,
  filename?: string,
): Part {
  const kind = mediaType?.split("/")[0];
  if (kind === "image" || kind === "audio" || kind === "video") return { type: kind, source };
  return { type: "file", source, ...(filename !== undefined && { filename }) };
}

const OWN_FILES = "https://generativelanguage.googleapis.com/";

/** A `fileUri`: an address that any provider can fetch, or the name of a file in Google's own storage. */
export function sourceOfUri(uri: string, mediaType: string | undefined): MediaSource {
  const typed = mediaType === undefined ? {} : { mediaType };
  const isOwn = !/^https?:/.test(uri) || uri.startsWith(OWN_FILES);
  return isOwn ? { type: "file-id", id: uri, ...typed } : { type: "url", url: uri, ...typed };
}

const TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  heic: "image/heic",
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  mp4: "video/mp4",
  webm: "video/webm",
};

/** The media type that an address ends with, for it must be named: other dialects do not name it. */
export function mediaTypeOfUrl(url: string): string | undefined {
  const extension = /\.([a-z0-9]{2,5})(?:[?#]|$)/i.exec(url)?.[1];
  return extension === undefined ? undefined : ownValue(TYPES, extension.toLowerCase());
}
