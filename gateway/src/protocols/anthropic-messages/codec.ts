import type { ClientCodec, UpstreamCodec } from "#protocols/codec.ts";
import { parseError } from "./parse-error.ts";
import { parseRequest } from "./parse-request.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { renderError } from "./render-error.ts";
import { lacksFormat, renderRequest } from "./render-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

/** Anthropic Messages as clients speak it, versions 2023-06-01 and 2026-10-21. */
export const anthropicMessagesClient: ClientCodec = {
  protocol: "anthropic-messages",
  parseRequest,
  renderResponse,
  createStreamRenderer,
  renderError,
};

/** Anthropic Messages as providers speak it: Anthropic, Vertex, Bedrock invoke, Azure and compatible ones. */
export const anthropicMessagesUpstream: UpstreamCodec = {
  protocol: "anthropic-messages",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError,
  lacksFormat,
};
