import { GatewayError } from "#canonical/failure.ts";
import { asObject, asString, type JsonObject } from "#lib/json.ts";
import type { Call } from "#pipeline/call.ts";
import { applyGuardrails, guardrailsOf } from "#pipeline/guardrails/apply-guardrails.ts";
import { readJson, type JsonBody } from "#pipeline/read-body.ts";

/**
 * The body as the policy's guardrails let it through. It takes the place of the client's before
 * anything else reads it: what was redacted reaches no provider, in whichever lane. Throws
 * `guardrail_blocked`.
 */
export async function guardRequest(call: Call, body: JsonBody): Promise<JsonBody> {
  const guardrails = guardrailsOf(call, "request");
  if (guardrails.length === 0) return body;
  const applied = await applyGuardrails(body.text, guardrails, { call, phase: "request" });
  if ("failure" in applied) throw new GatewayError(applied.failure);
  if (applied.json === body.text) return body;
  // Whose request it is must be known, though the provider is not told.
  const user = endUserIn(body.object);
  if (user !== undefined) call.endUser = user;
  return readJson(applied.json);
}

/** Who the request is for, in the words of each dialect. */
function endUserIn(body: JsonObject): string | undefined {
  return (
    asString(body["user"]) ??
    asString(body["safety_identifier"]) ??
    asString(asObject(body["metadata"])["user_id"])
  );
}
