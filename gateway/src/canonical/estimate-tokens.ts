import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Part } from "#canonical/message.ts";

/** English text averages four characters a token in the vocabularies of all large vendors. */
const ASCII_PER_TOKEN = 4;
/** Scripts beyond ASCII take about a token for every one and a half characters. */
const OTHER_PER_TOKEN = 1.5;
/** An image of about one megapixel; providers charge 85 to 1,600. */
const IMAGE_TOKENS = 1_000;
const MESSAGE_TOKENS = 4;
const BASE64_BYTES_PER_TOKEN = 40;

/** About how many tokens a text has; for when no provider counted them. */
export function estimateTokens(text: string): number {
  // Native and many times faster than looking at each character; nearly all text is ASCII.
  if (Buffer.byteLength(text) === text.length) return Math.ceil(text.length / ASCII_PER_TOKEN);
  let other = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) other++;
  return Math.ceil((text.length - other) / ASCII_PER_TOKEN + other / OTHER_PER_TOKEN);
}

/** About how many input tokens a request has: text, tool schemas, images, documents. */
export function estimateInputTokens(request: ChatRequest): number {
  let tokens = 0;
  for (const message of request.messages) {
    tokens += MESSAGE_TOKENS;
    for (const part of message.content) tokens += partTokens(part);
  }
  if (request.tools !== undefined) tokens += estimateTokens(JSON.stringify(request.tools));
  return tokens;
}

function partTokens(part: Part): number {
  switch (part.type) {
    case "text":
    case "refusal":
    case "reasoning":
      return estimateTokens(part.text);
    case "tool-call":
      return estimateTokens(part.name) + estimateTokens(part.input);
    case "tool-result":
      return part.content.reduce((sum, inner) => sum + partTokens(inner), 0);
    case "image":
      return IMAGE_TOKENS;
    case "file":
    case "audio":
    case "video":
      return part.source.type === "base64"
        ? Math.ceil(part.source.data.length / BASE64_BYTES_PER_TOKEN)
        : IMAGE_TOKENS;
    case "native":
      return estimateTokens(JSON.stringify(part.value));
  }
}
