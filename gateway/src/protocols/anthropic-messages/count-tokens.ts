import type { ChatRequest } from "#canonical/chat-request.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget, RequestInput, UpstreamBody } from "#protocols/codec.ts";
import { parseRequest } from "./parse-request.ts";
import { renderRequest } from "./render-request.ts";

/** Reads a token count's request: a Messages request without a bound of output. */
export const parseCountRequest = (input: RequestInput): ChatRequest => parseRequest(input);

/** Members that `/v1/messages/count_tokens` does not take. */
const GENERATION_MEMBERS = [
  "max_tokens",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "metadata",
  "service_tier",
];

/** The body of a token count at a provider of this protocol. */
export function renderCountRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { body, ...rest } = renderRequest(request, target);
  const kept = { ...body };
  for (const member of GENERATION_MEMBERS) delete kept[member];
  return { ...rest, body: kept };
}

export const renderCountResponse = (inputTokens: number): JsonObject => ({
  input_tokens: inputTokens,
});
