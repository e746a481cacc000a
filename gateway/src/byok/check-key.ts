import type { CREDENTIAL_OUTCOMES } from "@turnpike/contract/api/credentials.ts";

import { buildUrl } from "#providers/build-url.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import { readAll, type Send } from "#upstream/answer.ts";

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** What asking a provider told of a key; free of secrets and of the provider's own words. */
export interface KeyCheck {
  readonly outcome: (typeof CREDENTIAL_OUTCOMES)[number];
  readonly detail: string;
  /** The provider's clock, as its answer's head tells. */
  readonly date?: string;
}

/** Asks for something free that only a valid key gets, where the provider has such a thing. */
export async function checkKey(configured: ConfiguredProvider, send: Send): Promise<KeyCheck> {
  const { provider, variables, own } = configured;
  const path = provider.checkPath === undefined ? "/models" : provider.checkPath;
  if (path === null) {
    const detail = "has nothing free to ask; its key was not tried";
    return { outcome: "untestable", detail };
  }
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
      ...(own?.isElsewhere === true && { publicOnly: true }),
    });
    const { date } = answer.headers;
    await readAll(answer, MAX_ANSWER_BYTES);
    return { ...judge(answer.status), ...(typeof date === "string" && { date }) };
  } catch (error) {
    return { outcome: "unreachable", detail: `could not be reached (${reasonOf(error)})` };
  }
}

function judge(status: number): KeyCheck {
  if (status < 300) return { outcome: "valid", detail: "the key is valid" };
  if (status === 401 || status === 403) {
    return { outcome: "refused", detail: `refuses the key (${status})` };
  }
  if (status === 402) return { outcome: "no-credit", detail: "has no credit left (402)" };
  if (status === 429) {
    return { outcome: "rate-limited", detail: "limits the rate at the moment (429)" };
  }
  const detail = `answered ${status}; whether the key is valid is not known`;
  return { outcome: "unclear", detail };
}

/** Only names of faults: texts of errors may quote addresses with keys in them. */
function reasonOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : name;
}
