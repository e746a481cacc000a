import type { ChatRequest } from "#canonical/chat-request.ts";
import type { MediaSource, Part } from "#canonical/message.ts";

/** Roles, separators and names around a message: no vocabulary takes more than this. */
const MESSAGE_TOKENS = 16;
/** What providers put in front of a request with tools: Anthropic documents up to 804 tokens, 2026-11. */
const TOOLS_TOKENS = 1_000;
/** Claude's largest picture is 4,784 tokens, Gemini's 2,240, GPT's 1,536 patches at 1.62 tokens. */
const IMAGE_TOKENS = 5_000;
/** Sound: Gemini counts 32 tokens a second, and speech is not stored in less than 256 bytes a second. */
const AUDIO_BYTES_PER_TOKEN = 8;
/** A page of a document is up to 4,600 tokens with its picture, and not less than some kB in its file. */
const FILE_BYTES_PER_TOKEN = 2;
const LEAST_FILE_TOKENS = 8_000;
/** What lies behind a URL or a file's id may fill any context. */
const UNSEEN_TOKENS = 1_000_000;

/**
 * An upper bound of a chat request's input tokens. Text: its bytes in UTF-8, since a token of a
 * byte-level vocabulary is a byte at least. Media: what the providers document at most.
 */
export function inputTokensUpperBound(request: ChatRequest, contextTokens?: number): number {
  let tokens = MESSAGE_TOKENS;
  for (const { name, content } of request.messages) {
    tokens += MESSAGE_TOKENS + bytes(name ?? "");
    for (const part of content) tokens += partBound(part, contextTokens);
  }
  const { tools = [], outputFormat } = request;
  if (tools.length > 0) tokens += TOOLS_TOKENS + bytes(JSON.stringify(tools));
  if (outputFormat !== undefined) tokens += bytes(JSON.stringify(outputFormat));
  return tokens;
}

const bytes = (text: string): number => Buffer.byteLength(text);

function partBound(part: Part, contextTokens: number | undefined): number {
  switch (part.type) {
    case "text":
    case "refusal":
      return bytes(part.text);
    case "reasoning":
      // The signature carries reasoning that the text may not show.
      return bytes(part.text) + bytes(JSON.stringify(part.signature ?? ""));
    case "tool-call":
      return MESSAGE_TOKENS + bytes(part.name) + bytes(part.input) + bytes(part.id);
    case "tool-result":
      return part.content.reduce(
        (sum, inner) => sum + partBound(inner, contextTokens),
        MESSAGE_TOKENS + bytes(part.toolCallId),
      );
    case "image":
      return IMAGE_TOKENS;
    case "audio":
      return mediaBound(part.source, contextTokens, AUDIO_BYTES_PER_TOKEN);
    case "file":
    case "video":
      return mediaBound(part.source, contextTokens, FILE_BYTES_PER_TOKEN);
    case "native":
      return bytes(JSON.stringify(part.value));
  }
}

function mediaBound(
  source: MediaSource,
  contextTokens: number | undefined,
  bytesPerToken: number,
): number {
  if (source.type !== "base64") return contextTokens ?? UNSEEN_TOKENS;
  return Math.max(LEAST_FILE_TOKENS, Math.ceil(source.data.length / bytesPerToken));
}
