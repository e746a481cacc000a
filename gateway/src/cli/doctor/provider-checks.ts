import { checkKey, type KeyCheck } from "#byok/check-key.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Send } from "#upstream/answer.ts";

import { fail, ok, warn, type Finding } from "./check.ts";

/** What asking a provider gave: a finding on its key, and its clock when it showed one. */
export interface ProviderCheck {
  readonly finding: Finding;
  /** This machine's clock minus the provider's, in milliseconds. */
  readonly clockSkewMs?: number;
}

interface Asking {
  readonly send: Send;
  readonly now: () => number;
}

/** Asks for something free that only a valid key gets, where the provider has such a thing. */
export async function checkProvider(
  configured: ConfiguredProvider,
  { send, now }: Asking,
): Promise<ProviderCheck> {
  const { id, credentialId } = configured;
  const name = `${id} (${credentialId.replace(/^\w+:/, "")})`;
  const check = await checkKey(configured, send);
  const skew = skewOf(check.date, now());
  const finding = FINDINGS[check.outcome](name, check.detail);
  return skew === undefined ? { finding } : { finding, clockSkewMs: skew };
}

const FINDINGS: Readonly<Record<KeyCheck["outcome"], typeof ok>> = {
  valid: ok,
  refused: fail,
  "no-credit": fail,
  "rate-limited": warn,
  unclear: warn,
  unreachable: fail,
  untestable: warn,
};

function skewOf(date: string | undefined, now: number): number | undefined {
  const time = Date.parse(date ?? "");
  return Number.isNaN(time) ? undefined : now - time;
}

/** Signatures of requests are refused from five minutes on; tokens fail sooner. */
const WARN_SKEW_MS = 30_000;
const FAIL_SKEW_MS = 240_000;

export function checkClock(skews: readonly number[]): Finding {
  // The median: one wrong provider is no reason to doubt this machine.
  const skew = skews.toSorted((a, b) => a - b)[Math.floor(skews.length / 2)];
  if (skew === undefined) return warn("clock", "no provider was there to compare it with");
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) < WARN_SKEW_MS)
    return ok("clock", `within ${seconds + 1} s of the providers'`);
  const text = `${seconds} s ${skew > 0 ? "ahead of" : "behind"} the providers'; switch on time synchronisation`;
  return Math.abs(skew) < FAIL_SKEW_MS ? warn("clock", text) : fail("clock", text);
}
