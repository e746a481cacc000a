import { asObjects, asString, parseObject } from "#lib/json.ts";
import { readAll, type Send } from "#upstream/answer.ts";

/** A server on this machine answers at once or is not there. */
const PROBE_TIMEOUT_MS = 400;
const MAX_LIST_BYTES = 4 * 1024 * 1024;

/** The model ids that an OpenAI-compatible server lists; `undefined` when none is running there. */
export async function probeModels(
  send: Send,
  baseUrl: string,
): Promise<readonly string[] | undefined> {
  const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  try {
    const answer = await send({
      method: "GET",
      url: new URL(`${baseUrl}/models`),
      headers: { accept: "application/json" },
      signal: timeout,
      headTimeoutMs: PROBE_TIMEOUT_MS,
      idleTimeoutMs: PROBE_TIMEOUT_MS,
    });
    const body = parseObject((await readAll(answer, MAX_LIST_BYTES)).toString());
    if (answer.status !== 200 || body === undefined) return undefined;
    return asObjects(body["data"]).flatMap(({ id }) => asString(id) ?? []);
  } catch {
    return undefined;
  }
}
