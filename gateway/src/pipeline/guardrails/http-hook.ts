import type { Guardrail } from "@turnpike/contract/governance.ts";

import type { Failure } from "#canonical/failure.ts";
import { isObject, parseObject, type JsonObject } from "#lib/json.ts";
import type { Call } from "#pipeline/call.ts";
import type { Phase } from "#pipeline/guardrails/apply-guardrails.ts";
import type { JsonText } from "#privacy/guardrails/json-texts.ts";
import { readAll } from "#upstream/answer.ts";

export type HookAnswer =
  | { readonly action: "allow" }
  | { readonly action: "block"; readonly reason?: string }
  /** One text for each that was sent, in their order. */
  | { readonly action: "redact"; readonly parts: readonly string[] };

interface Asked {
  readonly phase: Phase;
  readonly texts: readonly JsonText[];
}

type Hook = Extract<Guardrail, { readonly kind: "http" }>;

const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_REASON = 300;

/**
 * Asks an operator's own check. One that does not answer in time, or not in its form, has allowed
 * nothing, unless the policy says `onFailure: open`; the request then fails with 503: it may be
 * asked again.
 */
export async function askHook(
  call: Call,
  hook: Hook,
  asked: Asked,
): Promise<HookAnswer | { readonly failure: Failure }> {
  const answer = await ask(call, hook, asked).catch(() => undefined);
  if (answer !== undefined) return answer;
  call.gateway.log.warn(
    { requestId: call.exchange.requestId, host: new URL(hook.url).host, onFailure: hook.onFailure },
    "a guardrail's hook gave no answer",
  );
  return hook.onFailure === "open" ? { action: "allow" } : { failure: UNANSWERED };
}

const UNANSWERED: Failure = {
  code: "unavailable",
  message:
    "A guardrail of this key's policy could not be asked, and nothing passes without it. Try again; if it lasts, the hook that the policy names is out of order.",
  retryAfterMs: 1_000,
};

async function ask(call: Call, hook: Hook, asked: Asked): Promise<HookAnswer | undefined> {
  const { access, exchange, gateway, signal } = call;
  const url = new URL(hook.url);
  const body = JSON.stringify({
    phase: asked.phase,
    organization: access?.organization.id,
    project: access?.project.id,
    request_id: exchange.requestId,
    operation: exchange.operation,
    parts: asked.texts.map(({ path, value }) => ({ path, text: value })),
  });
  const answer = await gateway.send({
    method: "POST",
    url,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "turnpike",
      ...gateway.signHook?.(url, body),
    },
    body: Buffer.from(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(hook.timeoutMs)]),
    headTimeoutMs: hook.timeoutMs,
    idleTimeoutMs: hook.timeoutMs,
  });
  const text = (await readAll(answer, MAX_ANSWER_BYTES)).toString("utf8");
  const object = answer.status === 200 ? parseObject(text) : undefined;
  return object === undefined ? undefined : readAnswer(object, asked.texts.length);
}

function readAnswer(object: JsonObject, count: number): HookAnswer | undefined {
  const { action, reason } = object as { action?: unknown; reason?: unknown };
  if (action === "allow") return { action };
  if (action === "block") {
    return typeof reason === "string"
      ? { action, reason: reason.slice(0, MAX_REASON) }
      : { action };
  }
  const parts = action === "redact" ? partsOf(object["parts"]) : undefined;
  return parts?.length === count ? { action: "redact", parts } : undefined;
}

/** As text, or as they were sent. */
function partsOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const parts = value.map((part: unknown) => (isObject(part) ? part["text"] : part));
  return parts.every((part) => typeof part === "string") ? parts : undefined;
}
