import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { NO_POLICY } from "#governance/effective-policy.ts";
import { PLAN_FACTS } from "#governance/plans.ts";
import { patchObject } from "#lib/json-scan.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";
import { readJson, type JsonBody } from "#pipeline/read-body.ts";
import { ruleWords, type GovernanceBounds } from "#routing/governance-bounds.ts";

/** Counting tokens is part of chatting: clients that may do the one do the other unasked. */
const COUNTS_AS: Readonly<Record<string, string>> = { "count-tokens": "chat" };

/** Refuses operations that the key is not for. Throws `forbidden`. */
export function checkOperation({ access, exchange }: Call): void {
  const operations = access?.key.settings.operations;
  if (operations === undefined) return;
  const { operation } = exchange;
  if (operations.includes(operation) || operations.includes(COUNTS_AS[operation] ?? "")) return;
  throw new GatewayError({
    code: "forbidden",
    message: `The API key may not be used for ${operation}: its settings allow ${operations.join(", ") || "no operation"} (operations). Use another key, or ask whoever administers this one.`,
  });
}

/** Refuses what a policy bans, whatever the dialect that asks for it. Throws `policy_denied`. */
export function checkCapabilities({ access }: Call, parsed: ParsedCall): void {
  const denied = access?.policy.deniedCapabilities;
  if (denied === undefined || denied.size === 0) return;
  for (const name of parsed.capabilities?.() ?? []) {
    const origin = denied.get(name);
    if (origin === undefined) continue;
    throw new GatewayError({
      code: "policy_denied",
      message: `The request uses "${name}", which ${ruleWords(origin)} denies (deniedCapabilities). Leave it out, or ask whoever administers the policy.`,
    });
  }
}

/** A key may say which model is meant where a request names none. */
export function withDefaultModel({ access, exchange }: Call, body: JsonBody): JsonBody {
  const model = access?.key.settings.routing?.model;
  // Gemini names the model in its path.
  if (model === undefined || exchange.pathModel !== undefined) return body;
  const named = body.object["model"];
  if (named !== undefined && named !== null && named !== "") return body;
  return readJson(patchObject(body.text, body.scan, { model: JSON.stringify(model) }));
}

/** Of the free plan: the same policy with one more bound, made once an access. */
const freeBounds = new WeakMap<Access, GovernanceBounds>();

/**
 * What bounds the plans of a key; `undefined`: nothing does. The free plan's bound holds until the
 * organization has credit.
 */
export function boundsOf(
  access: Access,
  hasCredit: ((organizationId: string) => boolean) | undefined,
): GovernanceBounds | undefined {
  const { organization, policy } = access;
  const isFree =
    PLAN_FACTS[organization.plan].freeModelsOnly && hasCredit?.(organization.id) !== true;
  if (!isFree) return policy === NO_POLICY ? undefined : policy;
  const known = freeBounds.get(access);
  if (known !== undefined) return known;
  const freeOnly = { level: "organization", targetId: organization.id, source: "plan" };
  const made: GovernanceBounds = { ...policy, freeOnly };
  freeBounds.set(access, made);
  return made;
}
