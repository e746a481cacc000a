import type { JsonObject } from "#lib/json.ts";
import { anyOf, some } from "../matches.ts";
import { HELLO, type Ingress, type Scenario, type ScenarioGroup } from "../scenario.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJcOkw7zDtsOfCg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA";
const MP4 = "AAAAIGZ0eXBpc29tAAACAGlzb20=";
const URL = "https://example.com/cat.png";

const LOOK = "Look at this.";

/** A user turn that holds the part and a text. */
const turns = (parts: Readonly<Record<Ingress, JsonObject | string>>): Scenario["ask"] => {
  const { "openai-chat": chat, "openai-responses": responses, gemini } = parts;
  const messages = parts["anthropic-messages"];
  return {
    "openai-chat":
      typeof chat === "string"
        ? chat
        : { messages: [{ role: "user", content: [{ type: "text", text: LOOK }, chat] }] },
    "openai-responses":
      typeof responses === "string"
        ? responses
        : { input: [{ role: "user", content: [{ type: "input_text", text: LOOK }, responses] }] },
    "anthropic-messages":
      typeof messages === "string"
        ? messages
        : { messages: [{ role: "user", content: [{ type: "text", text: LOOK }, messages] }] },
    gemini:
      typeof gemini === "string"
        ? gemini
        : { contents: [{ role: "user", parts: [{ text: LOOK }, gemini] }] },
  };
};

const inMessages = (part: unknown) => ({ messages: [{ role: "user", content: some(part) }] });
const inInput = (part: unknown) => ({ input: [{ role: "user", content: some(part) }] });
const inContents = (part: unknown) => ({ contents: [{ role: "user", parts: some(part) }] });

export const MEDIA: ScenarioGroup = {
  title: "Images, files, audio, video",
  scenarios: [
    {
      id: "image-base64",
      title: "image, inline",
      ask: turns({
        "openai-chat": { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        "openai-responses": { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
        "anthropic-messages": {
          type: "image",
          source: { type: "base64", media_type: "image/png", data: PNG },
        },
        gemini: { inlineData: { mimeType: "image/png", data: PNG } },
      }),
      sent: {
        "openai-chat": inMessages({
          type: "image_url",
          image_url: { url: `data:image/png;base64,${PNG}` },
        }),
        "openai-responses": inInput({
          type: "input_image",
          image_url: `data:image/png;base64,${PNG}`,
        }),
        "anthropic-messages": inMessages({
          type: "image",
          source: { type: "base64", media_type: "image/png", data: PNG },
        }),
        gemini: inContents({ inlineData: { mimeType: "image/png", data: PNG } }),
        "bedrock-converse": inMessages({ image: { format: "png", source: { bytes: PNG } } }),
        cohere: inMessages({
          type: "image_url",
          image_url: { url: `data:image/png;base64,${PNG}` },
        }),
      },
      answer: HELLO,
    },
    {
      id: "image-url",
      title: "image, by URL",
      ask: turns({
        "openai-chat": { type: "image_url", image_url: { url: URL } },
        "openai-responses": { type: "input_image", image_url: URL },
        "anthropic-messages": { type: "image", source: { type: "url", url: URL } },
        gemini: { fileData: { fileUri: URL, mimeType: "image/png" } },
      }),
      sent: {
        "openai-chat": inMessages({ type: "image_url", image_url: { url: URL } }),
        "openai-responses": inInput({ type: "input_image", image_url: URL }),
        "anthropic-messages": inMessages({ type: "image", source: { type: "url", url: URL } }),
        gemini: inContents({ fileData: { fileUri: URL, mimeType: "image/png" } }),
        "bedrock-converse": null,
        cohere: inMessages({ type: "image_url", image_url: { url: URL } }),
      },
      answer: HELLO,
    },
    {
      id: "pdf",
      title: "PDF, inline",
      ask: turns({
        "openai-chat": {
          type: "file",
          file: { filename: "report.pdf", file_data: `data:application/pdf;base64,${PDF}` },
        },
        "openai-responses": {
          type: "input_file",
          filename: "report.pdf",
          file_data: `data:application/pdf;base64,${PDF}`,
        },
        "anthropic-messages": {
          type: "document",
          title: "report.pdf",
          source: { type: "base64", media_type: "application/pdf", data: PDF },
        },
        gemini: { inlineData: { mimeType: "application/pdf", data: PDF } },
      }),
      sent: {
        "openai-chat": inMessages({
          type: "file",
          file: { file_data: `data:application/pdf;base64,${PDF}` },
        }),
        "openai-responses": inInput({
          type: "input_file",
          file_data: `data:application/pdf;base64,${PDF}`,
        }),
        "anthropic-messages": inMessages({
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: PDF },
        }),
        gemini: inContents({ inlineData: { mimeType: "application/pdf", data: PDF } }),
        "bedrock-converse": inMessages({
          document: { format: "pdf", name: anyOf("report", "document"), source: { bytes: PDF } },
        }),
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "audio",
      title: "recording, inline",
      ask: turns({
        "openai-chat": { type: "input_audio", input_audio: { data: WAV, format: "wav" } },
        "openai-responses": { type: "input_audio", input_audio: { data: WAV, format: "wav" } },
        "anthropic-messages": "the dialect has no audio",
        gemini: { inlineData: { mimeType: "audio/wav", data: WAV } },
      }),
      sent: {
        "openai-chat": inMessages({
          type: "input_audio",
          input_audio: { data: WAV, format: "wav" },
        }),
        "openai-responses": inInput({
          type: "input_audio",
          input_audio: { data: WAV, format: "wav" },
        }),
        "anthropic-messages": null,
        gemini: inContents({ inlineData: { mimeType: "audio/wav", data: WAV } }),
        "bedrock-converse": inMessages({ audio: { format: "wav", source: { bytes: WAV } } }),
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "video",
      title: "film, inline",
      ask: turns({
        "openai-chat": { type: "video_url", video_url: { url: `data:video/mp4;base64,${MP4}` } },
        "openai-responses": "the dialect has no video",
        "anthropic-messages": "the dialect has no video",
        gemini: { inlineData: { mimeType: "video/mp4", data: MP4 } },
      }),
      sent: {
        "openai-chat": inMessages({
          type: "video_url",
          video_url: { url: `data:video/mp4;base64,${MP4}` },
        }),
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: inContents({ inlineData: { mimeType: "video/mp4", data: MP4 } }),
        "bedrock-converse": inMessages({ video: { format: "mp4", source: { bytes: MP4 } } }),
        cohere: null,
      },
      answer: HELLO,
    },
  ],
};
