import type { ClientCodec, UpstreamCodec } from "#protocols/codec.ts";
import { parseError } from "./parse-error.ts";
import { parseRequest } from "./parse-request.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { renderError } from "./render-error.ts";
import { renderRequest } from "./render-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

/** The Responses API as clients speak it: Codex, the OpenAI SDKs, the AI SDK. */
export const openaiResponsesClient: ClientCodec = {
  protocol: "openai-responses",
  parseRequest,
  renderResponse,
  createStreamRenderer,
  renderError,
};

/** The Responses API as providers speak it: OpenAI, Azure, xAI, DeepSeek, OpenRouter, Bedrock. */
export const openaiResponsesUpstream: UpstreamCodec = {
  protocol: "openai-responses",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError,
};
