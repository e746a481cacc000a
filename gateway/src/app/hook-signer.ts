import type { ConfigFile } from "@turnpike/contract/config.ts";

import { newId } from "#lib/ids.ts";
import { signatureHeaders } from "#lib/sign-webhook.ts";
import type { Gateway } from "#pipeline/gateway.ts";

/** What questions to guardrails' hooks are signed with, by the hook's origin: `guardrails` of the settings. */
export const hookSecretsOf = (
  config: { readonly guardrails: NonNullable<ConfigFile["guardrails"]> } | undefined,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(config?.guardrails.hookSecrets ?? {}).map(([url, secrets]) => [
      new URL(url).origin,
      secrets,
    ]),
  );

/** Signs as alerts are signed; each question has an id of its own. */
export const hookSigner =
  (
    secrets: () => ReturnType<typeof hookSecretsOf>,
    now: () => number,
  ): NonNullable<Gateway["signHook"]> =>
  (url, body) => {
    const own = secrets().get(url.origin);
    if (own === undefined) return {};
    const at = now();
    return signatureHeaders({ id: newId("ask_", at), timestamp: Math.floor(at / 1000), body }, own);
  };
