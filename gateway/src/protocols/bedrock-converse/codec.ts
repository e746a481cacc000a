import type { UpstreamCodec } from "#protocols/codec.ts";
import { parseError } from "./parse-error.ts";
import { parseResponse } from "./parse-response.ts";
import { createStreamParser } from "./parse-stream.ts";
import { lacksFormat, renderRequest } from "./render-request.ts";

/** Amazon Bedrock's Converse API. Its streams are binary: `frames.ts` cuts them. */
export const bedrockConverseUpstream: UpstreamCodec = {
  protocol: "bedrock-converse",
  renderRequest,
  parseResponse,
  createStreamParser,
  parseError,
  lacksFormat,
};
