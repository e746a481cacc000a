import { asNumber, asObjects, asString, compact, type JsonObject } from "#lib/json.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

/** `logprobsResult` in OpenAI's form, which is the canonical one. */
export function parseLogprobs(result: unknown): readonly JsonObject[] {
  const { chosenCandidates, topCandidates } = camelObject(result);
  const tops = asObjects(topCandidates).map((top) =>
    asObjects(top["candidates"]).flatMap((one) => parseToken(one) ?? []),
  );
  return asObjects(chosenCandidates).flatMap((chosen, at) => {
    const token = parseToken(chosen);
    return token === undefined ? [] : [{ ...token, top_logprobs: tops[at] ?? [] }];
  });
}

function parseToken(wire: JsonObject): JsonObject | undefined {
  const { token, logProbability } = camelKeys(wire);
  const [text, logprob] = [asString(token), asNumber(logProbability)];
  if (text === undefined || logprob === undefined) return undefined;
  return { token: text, logprob, bytes: [...Buffer.from(text)] };
}

/** Log probabilities as `logprobsResult`; `undefined` where there are none. */
export function renderLogprobs(logprobs: readonly JsonObject[]): JsonObject | undefined {
  if (logprobs.length === 0) return undefined;
  return {
    chosenCandidates: logprobs.map(renderToken),
    topCandidates: logprobs.map((entry) => ({
      candidates: asObjects(entry["top_logprobs"]).map(renderToken),
    })),
  };
}

const renderToken = ({ token, logprob }: JsonObject): JsonObject =>
  compact({ token, logProbability: logprob });
