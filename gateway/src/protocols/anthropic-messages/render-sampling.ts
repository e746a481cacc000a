import type { ChatRequest, Sampling } from "#canonical/chat-request.ts";
import type { ModelAbilities } from "#canonical/claude-model.ts";
import { claudeSampling } from "#canonical/claude-sampling.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";

interface SamplingTarget {
  readonly abilities: ModelAbilities;
  readonly thinking: boolean;
  readonly reportLoss: ReportLoss;
}

/** `temperature`, `top_p` and `top_k`, as far as the model takes them. */
export function renderSampling(request: ChatRequest, target: SamplingTarget): JsonObject {
  const { sampling, protocol } = request;
  if (sampling === undefined) return {};
  // The client speaks this protocol and knows the bounds; only the newest models take none at all.
  const isOwn = protocol === "anthropic-messages" && target.abilities.sampling !== "none";
  return wireNames(isOwn ? sampling : claudeSampling(sampling, target));
}

const wireNames = ({ temperature, topP, topK }: Sampling): JsonObject => ({
  temperature,
  top_p: topP,
  top_k: topK,
});
