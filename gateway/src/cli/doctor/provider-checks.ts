import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import { buildUrl } from "#providers/build-url.ts";
import { readAll, type Send } from "#upstream/answer.ts";

import { fail, ok, warn, type Finding } from "./check.ts";

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

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
  const { id, credentialId, provider, variables } = configured;
  const name = `${id} (${credentialId.replace(/^\w+:/, "")})`;
  const path = provider.checkPath === undefined ? "/models" : provider.checkPath;
  if (path === null)
    return { finding: warn(name, "has nothing free to ask; its key was not tried") };
  try {
    const url = buildUrl(provider, { path }, { model: "", stream: false, variables });
    const authorization = await configured.authorize({ method: "GET", url });
    const version = provider.speaks.find(({ headers }) => headers !== undefined)?.headers;
    const answer = await send({
      method: "GET",
      url,
      headers: { accept: "application/json", ...version, ...authorization },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: TIMEOUT_MS,
    });
    const skew = skewOf(answer.headers["date"], now());
    await readAll(answer, MAX_ANSWER_BYTES);
    const finding = judge(name, answer.status);
    return skew === undefined ? { finding } : { finding, clockSkewMs: skew };
  } catch (error) {
    return { finding: fail(name, `could not be reached (${reasonOf(error)})`) };
  }
}

function judge(name: string, status: number): Finding {
  if (status < 300) return ok(name, "the key is valid");
  if (status === 401 || status === 403) return fail(name, `refuses the key (${status})`);
  if (status === 402) return fail(name, "has no credit left (402)");
  if (status === 429) return warn(name, "limits the rate at the moment (429)");
  return warn(name, `answered ${status}; whether the key is valid is not known`);
}

/** Only names of faults: texts of errors may quote addresses with keys in them. */
const reasonOf = (error: unknown): string => {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : name;
};

function skewOf(date: string | string[] | undefined, now: number): number | undefined {
  const time = typeof date === "string" ? Date.parse(date) : Number.NaN;
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
