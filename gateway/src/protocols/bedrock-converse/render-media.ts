import { compact, ownValue } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AudioPart, FilePart, ImagePart, MediaSource, VideoPart } from "#canonical/message.ts";
import type { ReportLoss } from "#protocols/codec.ts";

/** What one request's blocks share while they are rendered. */
export interface BlockContext {
  readonly upstreamModel: string;
  readonly reportLoss: ReportLoss;
  /** Document names given so far: Bedrock refuses two of the same name. */
  readonly documentNames: Set<string>;
}

const FORMATS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpeg",
  "image/jpg": "jpeg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "application/pdf": "pdf",
  "text/csv": "csv",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "video/quicktime": "mov",
  "video/x-matroska": "mkv",
  "video/mpeg": "mpeg",
  "video/x-flv": "flv",
  "video/x-ms-wmv": "wmv",
  "video/3gpp": "three_gp",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/ogg": "ogg",
  "audio/flac": "flac",
  "audio/aac": "aac",
  "audio/opus": "opus",
  "audio/mp4": "m4a",
  "audio/webm": "webm",
};

export const renderImage = (part: ImagePart, context: BlockContext): JsonObject | undefined =>
  renderMedia("image", part.source, context);

export const renderVideo = (part: VideoPart, context: BlockContext): JsonObject | undefined =>
  renderMedia("video", part.source, context);

export const renderAudio = (part: AudioPart, context: BlockContext): JsonObject | undefined =>
  renderMedia("audio", part.source, context);

function renderMedia(
  kind: "image" | "video" | "audio",
  source: MediaSource,
  context: BlockContext,
): JsonObject | undefined {
  const sourced = renderSource(kind, source, context);
  return sourced === undefined ? undefined : { [kind]: sourced };
}

export function renderDocument(part: FilePart, context: BlockContext): JsonObject | undefined {
  const sourced = renderSource("document", part.source, context);
  if (sourced === undefined) return undefined;
  const citations = part.citations === true ? { enabled: true } : undefined;
  const name = documentName(part.filename, context.documentNames);
  return { document: compact({ ...sourced, name, citations }) };
}

/** `format` and `source`; `undefined`, with a loss, for what Bedrock cannot read. */
function renderSource(
  kind: string,
  source: MediaSource,
  { reportLoss }: BlockContext,
): JsonObject | undefined {
  if (source.type === "file-id") {
    reportLoss("messages.content", `an uploaded ${kind} exists only at its provider; dropped`);
    return undefined;
  }
  const format = formatOf(source);
  if (format === undefined) {
    reportLoss("messages.content", `a ${kind} of an unknown format was dropped`);
    return undefined;
  }
  if (source.type === "base64") return { format, source: { bytes: source.data } };
  if (source.url.startsWith("s3://"))
    return { format, source: { s3Location: { uri: source.url } } };
  reportLoss("messages.content", `a ${kind} by URL cannot be read here; dropped`);
  return undefined;
}

function formatOf(source: Exclude<MediaSource, { type: "file-id" }>): string | undefined {
  const [mediaType = ""] = (source.mediaType ?? "").toLowerCase().split(";");
  const known = ownValue(FORMATS, mediaType.trim());
  if (known !== undefined || source.type === "base64") return known;
  const extension = /\.([a-z0-9]{2,5})(?:[?#]|$)/i.exec(source.url)?.[1]?.toLowerCase();
  return extension === "jpg" ? "jpeg" : extension;
}

/**
 * A name of letters, digits, single spaces, hyphens, parentheses and brackets, at most 200 long and
 * unlike any other in the request (botocore: DocumentBlock.name).
 */
function documentName(filename: string | undefined, taken: Set<string>): string {
  const stem = (filename ?? "").replace(/\.[a-z0-9]{1,5}$/i, "");
  const clean = stem
    .replace(/[^a-zA-Z0-9()[\]\s-]+/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 190);
  const base = clean === "" ? "document" : clean;
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base} (${count})`;
  taken.add(name);
  return name;
}
