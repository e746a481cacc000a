import { openaiErrorBody } from "#canonical/openai-error.ts";
import type { ClientCodec } from "#protocols/codec.ts";

import { parseRequest } from "./parse-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

/** Legacy completions, which old clients and some editors still speak. */
export const openaiCompletionsClient: ClientCodec = {
  protocol: "openai-completions",
  parseRequest,
  renderResponse,
  createStreamRenderer,
  renderError: openaiErrorBody,
};
