import { openaiErrorBody } from "#canonical/openai-error.ts";
import { parseJsonError } from "#canonical/parse-json-error.ts";
import type { ClientCodec, UpstreamCodec } from "#protocols/codec.ts";

import { parseRequest } from "./parse-request.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { lacksFormat, renderRequest } from "./render-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

/** Chat completions as clients speak them. */
export const openaiChatClient: ClientCodec = {
  protocol: "openai-chat",
  parseRequest,
  renderResponse,
  createStreamRenderer,
  renderError: openaiErrorBody,
};

/** Chat completions as OpenAI and some twenty others serve them; they differ by `Dialect`. */
export const openaiChatUpstream: UpstreamCodec = {
  protocol: "openai-chat",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError: parseJsonError,
  lacksFormat,
};
