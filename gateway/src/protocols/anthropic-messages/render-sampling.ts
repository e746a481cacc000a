import type { ChatRequest } from "#canonical/chat-request.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import type { ModelAbilities } from "./claude-model.ts";

interface SamplingTarget {
  readonly abilities: ModelAbilities;
  readonly thinking: boolean;
  readonly reportLoss: ReportLoss;
}

/** `temperature`, `top_p` and `top_k`, as far as the model takes them. */
export function renderSampling(request: ChatRequest, target: SamplingTarget): JsonObject {
  const { sampling, protocol } = request;
  if (sampling === undefined) return {};
  const wished = { temperature: sampling.temperature, top_p: sampling.topP, top_k: sampling.topK };
  // The client speaks this protocol and knows the bounds; only the newest models take none at all.
  if (protocol === "anthropic-messages" && target.abilities.sampling !== "none") return wished;
  const body: JsonObject = {};
  for (const [field, value] of Object.entries(wished)) {
    if (value === undefined) continue;
    const reason = refusal(field, value, { ...target, body });
    if (reason === undefined) body[field] = bounded(field, value, target.reportLoss);
    else target.reportLoss(field, reason);
  }
  return body;
}

interface Rendered extends SamplingTarget {
  /** What is sent so far. */
  readonly body: JsonObject;
}

/** Why the provider would answer 400 to this value. */
function refusal(field: string, value: number, target: Rendered): string | undefined {
  const { abilities, thinking, body } = target;
  if (abilities.sampling === "none") return "this model takes no sampling parameters";
  if (thinking && !fitsThinking(field, value)) return "excluded while the model thinks";
  if (field === "top_p" && abilities.sampling === "one" && "temperature" in body) {
    return "this model takes either temperature or top_p";
  }
  return undefined;
}

function fitsThinking(field: string, value: number): boolean {
  if (field === "temperature") return value === 1;
  return field === "top_p" && value >= 0.95;
}

/** OpenAI's temperature goes to 2, this protocol's to 1. */
function bounded(field: string, value: number, reportLoss: ReportLoss): number {
  if (field !== "temperature" || value <= 1) return value;
  reportLoss("temperature", `changed: ${value} is sent as 1, the highest value`);
  return 1;
}
