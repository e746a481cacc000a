import { estimateInputTokens } from "#canonical/estimate-tokens.ts";
import { patchObject } from "#lib/json-scan.ts";
import { asNumber, parseObject } from "#lib/json.ts";
import type { Attempt } from "#pipeline/attempt.ts";
import type { AttemptResult, Call, ParsedCall } from "#pipeline/call.ts";
import { capabilitiesUsed } from "#pipeline/capabilities-used.ts";
import { clientProtocolHeaders } from "#pipeline/client-headers.ts";
import { NO_GATEWAY_FIELDS, withoutGatewayFields } from "#pipeline/gateway-options.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import type { Route } from "#routing/route.ts";
import { isAnswer, readText, sendAttempt } from "#pipeline/send-attempt.ts";
import { COUNT_TOKENS } from "#protocols/registry.ts";
import type { Speech } from "#providers/provider.ts";

const ESTIMATED = {
  field: "count",
  reason: "estimated by the gateway from the length of the request",
};

/**
 * Counts a request's input tokens: by the provider where it counts in the client's own protocol, else
 * by an estimate, which costs nothing. Coding agents ask two dozen times in parallel.
 */
export function parseCountTokens(call: Call, body: JsonBody): ParsedCall {
  const { exchange } = call;
  const codec = COUNT_TOKENS[exchange.protocol];
  if (codec === undefined) throw new Error(`no token counting in ${exchange.protocol}`);
  const request = codec.parseRequest({
    body: withoutGatewayFields(body.object),
    headers: exchange.headers,
    ...(exchange.pathModel !== undefined && { pathModel: exchange.pathModel }),
    pathVerb: "countTokens",
  });
  const { protocol } = exchange;
  return {
    model: request.model,
    stream: false,
    needs: { operation: "count-tokens", protocol, inputTokens: 0, modalities: [], tools: false },
    capabilities: () => capabilitiesUsed(request),
    renderStreamFailure: () => "",
    attempt: async (attempt) => {
      const { route } = attempt;
      const counted = await countedByProvider(call, body, attempt);
      const inputTokens = counted ?? estimateInputTokens(request);
      const losses = counted === undefined ? [ESTIMATED] : [];
      return countAnswer(route, losses, JSON.stringify(codec.renderCount(inputTokens)));
    },
  };
}

function countAnswer(
  route: Route,
  losses: readonly (typeof ESTIMATED)[],
  body: string,
): AttemptResult {
  const usage = { inputTokens: 0, outputTokens: 0, estimated: true };
  const base = { route, losses, tier: "default", estimateUsage: () => usage } as const;
  return { kind: "whole", lane: "native", ...base, usage, finish: null, upstreamId: null, body };
}

/** The provider's own count; `undefined` where it offers none, or cannot be asked now. */
async function countedByProvider(
  call: Call,
  body: JsonBody,
  attempt: Attempt,
): Promise<number | undefined> {
  const { route } = attempt;
  const speech = route.speech as Speech;
  if (speech.countPath === undefined || speech.protocol !== call.exchange.protocol)
    return undefined;
  const model = JSON.stringify(route.endpoint.upstreamModel);
  const answer = await sendAttempt(
    call,
    { ...attempt, route: { ...route, speech: { ...speech, path: speech.countPath } } },
    {
      body: patchObject(body.text, body.scan, { ...NO_GATEWAY_FIELDS, model }),
      headers: clientProtocolHeaders(call.exchange.headers),
      stream: false,
    },
  );
  if (!isAnswer(answer)) return undefined;
  const text = await readText(answer);
  if (typeof text !== "string" || answer.status !== 200) return undefined;
  return asNumber(parseObject(text)?.["input_tokens"]);
}
