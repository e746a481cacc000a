import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { urlFromMedia } from "#canonical/media-source.ts";
import type { FilePart, ImagePart, MediaSource, Part } from "#canonical/message.ts";
import type { ReportLoss } from "#protocols/codec.ts";

/** A user's, system's or tool's parts: a plain string where one text says it all. */
export function renderContent(parts: readonly Part[], reportLoss: ReportLoss): unknown {
  const [first] = parts;
  if (first === undefined) return "";
  if (parts.length === 1 && first.type === "text") return first.text;
  return parts.flatMap((part) => renderPart(part, reportLoss) ?? []);
}

function renderPart(part: Part, reportLoss: ReportLoss): JsonObject | undefined {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "refusal":
      return { type: "input_text", text: part.text };
    case "image":
      return renderImage(part, reportLoss);
    case "file":
      return renderFile(part, reportLoss);
    case "audio":
      return renderAudio(part.source, reportLoss);
    case "native":
      if (part.protocol === "openai-responses") return part.value;
      reportLoss("messages.content", `a block that only ${part.protocol} understands was dropped`);
      return undefined;
    case "video":
    case "reasoning":
    case "tool-call":
    case "tool-result":
    default:
      reportLoss("messages.content", `${part.type} cannot stand in this message; it was dropped`);
      return undefined;
  }
}

function renderImage(
  { source, detail }: ImagePart,
  reportLoss: ReportLoss,
): JsonObject | undefined {
  if (source.type === "file-id")
    return compact({ type: "input_image", file_id: source.id, detail });
  if (source.type === "url" && source.url.startsWith("gs:")) {
    reportLoss(
      "messages.content",
      "an image in Google Cloud Storage cannot be read; it was dropped",
    );
    return undefined;
  }
  return compact({ type: "input_image", image_url: urlFromMedia(source), detail });
}

function renderFile(part: FilePart, reportLoss: ReportLoss): JsonObject {
  const { source, filename } = part;
  if (part.citations === true) reportLoss("citations", "citing from documents is not available");
  if (source.type === "file-id") return { type: "input_file", file_id: source.id };
  if (source.type === "url") return { type: "input_file", file_url: source.url };
  // Plain text documents would be refused as `input_file` by most models: they are text.
  if (source.mediaType.startsWith("text/")) {
    return { type: "input_text", text: Buffer.from(source.data, "base64").toString("utf8") };
  }
  // The API requires a name next to inline bytes.
  const name = filename ?? `document.${source.mediaType.split("/").at(-1) ?? "pdf"}`;
  return { type: "input_file", filename: name, file_data: urlFromMedia(source) };
}

function renderAudio(source: MediaSource, reportLoss: ReportLoss): JsonObject | undefined {
  if (source.type !== "base64") {
    reportLoss("messages.content", "audio can only be sent inline; it was dropped");
    return undefined;
  }
  const format = source.mediaType === "audio/mpeg" ? "mp3" : (source.mediaType.split("/")[1] ?? "");
  return { type: "input_audio", input_audio: { data: source.data, format } };
}
