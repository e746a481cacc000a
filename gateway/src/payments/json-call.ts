import { readAll, type Send } from "#upstream/answer.ts";

const LONGEST_ANSWER = 1024 * 1024;

export interface JsonCall {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: a GET. */
  readonly body?: string;
  readonly timeoutMs: number;
}

export interface JsonAnswer {
  readonly status: number;
  /** `undefined`: it is no JSON. */
  readonly body: unknown;
}

/**
 * A call of another service by the guarded dialer: no redirects, 1 MiB at most, one time limit for all
 * of it. Rejects when nothing came back: whether it was done is not known then.
 */
export async function callJson(send: Send, call: JsonCall): Promise<JsonAnswer> {
  const { url, headers = {}, timeoutMs } = call;
  const body = call.body === undefined ? undefined : Buffer.from(call.body);
  const answer = await send({
    method: body === undefined ? "GET" : "POST",
    url,
    headers: {
      accept: "application/json",
      ...(body !== undefined && {
        "content-type": "application/json",
        "content-length": String(body.length),
      }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(timeoutMs),
    headTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
  });
  const text = (await readAll(answer, LONGEST_ANSWER)).toString("utf8");
  return { status: answer.status, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
