import { estimateInputTokens } from "#canonical/estimate-tokens.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import { COUNT_TOKENS } from "#protocols/registry.ts";

/**
 * Counts a request's input tokens. The count is the gateway's estimate for every model: it costs
 * nothing, and coding agents ask two dozen times in parallel.
 */
export function parseCountTokens(call: Call, body: JsonBody): ParsedCall {
  const { exchange } = call;
  const codec = COUNT_TOKENS[exchange.protocol];
  if (codec === undefined) throw new Error(`no token counting in ${exchange.protocol}`);
  const request = codec.parseRequest({
    body: body.object,
    headers: exchange.headers,
    ...(exchange.pathModel !== undefined && { pathModel: exchange.pathModel }),
    pathVerb: "countTokens",
  });
  const inputTokens = estimateInputTokens(request);
  const usage = { inputTokens: 0, outputTokens: 0, estimated: true };
  return {
    model: request.model,
    stream: false,
    needs: {
      operation: "count-tokens",
      protocol: exchange.protocol,
      inputTokens: 0,
      modalities: [],
      tools: false,
    },
    renderStreamFailure: () => "",
    attempt: async (route) => ({
      kind: "whole",
      route,
      lane: "translated",
      losses: [
        { field: "count", reason: "estimated by the gateway from the length of the request" },
      ],
      tier: "default",
      estimateUsage: () => usage,
      usage,
      finish: null,
      upstreamId: null,
      body: JSON.stringify(codec.renderCount(inputTokens)),
    }),
  };
}
