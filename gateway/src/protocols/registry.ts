import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ClientProtocol, UpstreamProtocol } from "#canonical/protocol-name.ts";
import {
  anthropicMessagesClient,
  anthropicMessagesUpstream,
} from "#protocols/anthropic-messages/codec.ts";
import {
  parseCountRequest,
  renderCountResponse,
} from "#protocols/anthropic-messages/count-tokens.ts";
import { anthropicMessagesNativeStream } from "#protocols/anthropic-messages/native-stream.ts";
import { bedrockConverseUpstream } from "#protocols/bedrock-converse/codec.ts";
import { cohereUpstream } from "#protocols/cohere/codec.ts";
import type { ClientCodec, RequestInput, UpstreamCodec } from "#protocols/codec.ts";
import {
  parseCountRequest as parseGeminiCount,
  renderCountResponse as renderGeminiCount,
} from "#protocols/gemini/count-tokens.ts";
import { geminiClient, geminiUpstream } from "#protocols/gemini/codec.ts";
import { geminiNativeStream } from "#protocols/gemini/native-stream.ts";
import type { JsonObject } from "#lib/json.ts";
import type { NativeStream } from "#protocols/native-stream.ts";
import { openaiChatClient, openaiChatUpstream } from "#protocols/openai-chat/codec.ts";
import { openaiChatNativeStream } from "#protocols/openai-chat/native-stream.ts";
import { openaiCompletionsClient } from "#protocols/openai-completions/codec.ts";
import {
  openaiResponsesClient,
  openaiResponsesUpstream,
} from "#protocols/openai-responses/codec.ts";
import { openaiResponsesNativeStream } from "#protocols/openai-responses/native-stream.ts";

export const CLIENT_CODECS: Readonly<Record<ClientProtocol, ClientCodec>> = {
  "openai-chat": openaiChatClient,
  "openai-responses": openaiResponsesClient,
  "openai-completions": openaiCompletionsClient,
  "anthropic-messages": anthropicMessagesClient,
  gemini: geminiClient,
};

export const UPSTREAM_CODECS: Readonly<Record<UpstreamProtocol, UpstreamCodec>> = {
  "openai-chat": openaiChatUpstream,
  "openai-responses": openaiResponsesUpstream,
  "anthropic-messages": anthropicMessagesUpstream,
  gemini: geminiUpstream,
  "bedrock-converse": bedrockConverseUpstream,
  cohere: cohereUpstream,
};

/** The protocols that both clients and providers speak: those with a byte-faithful lane. */
export const NATIVE_STREAMS: Readonly<Partial<Record<ClientProtocol, NativeStream>>> = {
  "openai-chat": openaiChatNativeStream,
  "openai-responses": openaiResponsesNativeStream,
  "anthropic-messages": anthropicMessagesNativeStream,
  gemini: geminiNativeStream,
};

/** The dialects in which a client can ask for a token count. */
interface CountCodec {
  parseRequest(input: RequestInput): ChatRequest;
  renderCount(inputTokens: number): JsonObject;
}

export const COUNT_TOKENS: Readonly<Partial<Record<ClientProtocol, CountCodec>>> = {
  "anthropic-messages": { parseRequest: parseCountRequest, renderCount: renderCountResponse },
  gemini: { parseRequest: parseGeminiCount, renderCount: renderGeminiCount },
};
