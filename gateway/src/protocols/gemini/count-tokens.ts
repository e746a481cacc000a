import type { ChatRequest } from "#canonical/chat-request.ts";
import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget, RequestInput, UpstreamBody } from "#protocols/codec.ts";
import { parseRequest } from "./parse-request.ts";
import { renderRequest } from "./render-request.ts";
import { camelKeys } from "./wire-case.ts";

/** Reads `countTokens`: contents, or a whole request under `generateContentRequest`. */
export function parseCountRequest(input: RequestInput): ChatRequest {
  const whole = camelKeys(input.body)["generateContentRequest"];
  return parseRequest(isObject(whole) ? { ...input, body: whole } : input);
}

/** The body of a token count at Google; only the wrapped form counts instructions and tools. */
export function renderCountRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { body, ...rest } = renderRequest(request, target);
  const { generationConfig: _, serviceTier: _tier, ...counted } = body;
  if (Object.keys(counted).every((key) => key === "contents")) return { ...rest, body: counted };
  const model = `models/${target.upstreamModel}`;
  return { ...rest, body: { generateContentRequest: { model, ...counted } } };
}

export const renderCountResponse = (inputTokens: number): JsonObject => ({
  totalTokens: inputTokens,
});
