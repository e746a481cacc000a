import type { ClientCodec, UpstreamCodec } from "#protocols/codec.ts";
import { parseError } from "./parse-error.ts";
import { parseRequest } from "./parse-request.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { renderError } from "./render-error.ts";
import { renderRequest } from "./render-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

/** `generateContent` as clients speak it: Google's SDKs and Gemini CLI. */
export const geminiClient: ClientCodec = {
  protocol: "gemini",
  parseRequest,
  renderResponse,
  createStreamRenderer,
  renderError,
};

/** `generateContent` as providers speak it: the Gemini API and Vertex AI. */
export const geminiUpstream: UpstreamCodec = {
  protocol: "gemini",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError,
};
