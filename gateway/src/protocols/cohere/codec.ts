import type { UpstreamCodec } from "#protocols/codec.ts";
import { parseError } from "./parse-error.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { renderRequest } from "./render-request.ts";

/** Cohere's chat API, version 2. */
export const cohereUpstream: UpstreamCodec = {
  protocol: "cohere",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError,
};
